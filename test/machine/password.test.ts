import { readFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import ssh2 from "ssh2";
import { describe, expect, test } from "vitest";
import type { MachineAddress } from "../../src/machine/machine.ts";
import { connect } from "../../src/machine/ssh.ts";
import { type Reach, trust } from "../../src/stage/trust.ts";
import { toWay } from "../../src/stage/way.ts";
import { haveSshd, type Sshd, startSshd } from "../help/sshd.ts";
import { account } from "../help/stage-inputs.ts";
import { newProvider, newStageRig } from "../help/stage-rig.ts";
import { canHaveSudoers, password, startSudoerSshd } from "../help/sudoer.ts";

const signal = AbortSignal.timeout(60_000);
const other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHPvp6EUDD5bUYr/UeNrC4o1VX2NGFuGrhcP9H4nIZ6R";

describe.skipIf(!canHaveSudoers)("OpenSSH's sshd with a password (skipped unless root, with sudo)", () => {
  test("lets us in with it, and not with another", async () => {
    await using sshd = await startSudoerSshd([]);
    const address = { ...sshd.address, privateKeyPath: null, password };
    await using machine = await connect(address, { signal, timeoutMs: 20_000 });
    expect((await machine.run("id -un", { signal })).stdout).toBe("builder\n");
    const wrong = connect({ ...address, password: "wrong" }, { signal, timeoutMs: 20_000 });
    await expect(wrong).rejects.toMatchObject({
      code: "connect-failed",
      message: '127.0.0.1 does not let "builder" in with this password',
      hint: expect.stringContaining("connect.password"),
    });
  });

  test("is told it by `auto` only once the console output has its host key", async () => {
    await using sshd = await startSudoerSshd([]);
    let asked = 0;
    await using rig = await rigWith(() => {
      asked += 1;
      return asked < 3 ? "booting\n" : keysInConsole(sshd.hostKey);
    });
    expect(await trust(toReach(sshd), "auto", rig.context("us-east-1/launch"))).toBe(bare(sshd.hostKey));
    expect(asked).toBe(3);
    await using wrong = await rigWith(() => keysInConsole(other));
    await expect(trust(toReach(sshd), "auto", wrong.context("us-east-1/launch"))).rejects.toMatchObject({
      code: "host-key-changed",
    });
  });
});

test.skipIf(!haveSshd)("a host key that is named is the only one (skipped without sshd)", async () => {
  await using sshd = await startSshd();
  const reach = { ...toReach(sshd), privateKeyPath: join(sshd.directory, "user"), way: toWay({}) };
  await using rig = await newStageRig(newProvider({}));
  expect(await trust(reach, sshd.hostKey, rig.context("us-east-1/launch"))).toBe(bare(sshd.hostKey));
  await expect(trust(reach, other, rig.context("us-east-1/launch"))).rejects.toMatchObject({
    code: "host-key-changed",
    message: expect.stringContaining("shows another host key"),
  });
});

test.skipIf(!haveSshd)("a server that asks for the password by keyboard-interactive gets it", async () => {
  await using sshd = await startSshd();
  const heard: string[][] = [];
  const server = new ssh2.Server({ hostKeys: [await readFile(join(sshd.directory, "host"))] }, (client) => {
    client.on("error", () => undefined);
    client.on("authentication", (attempt) => {
      if (attempt.method !== "keyboard-interactive") return attempt.reject(["keyboard-interactive"]);
      const prompts = [
        { prompt: "Token shown: ", echo: true },
        { prompt: "Password: ", echo: false },
      ];
      return attempt.prompt(prompts, (answers) => {
        heard.push(answers);
        if (answers[1] === password) attempt.accept();
        else attempt.reject();
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const { port } = server.address() as AddressInfo;
    const address: MachineAddress = { ...sshd.address, port, privateKeyPath: null, password };
    await using machine = await connect(address, { signal, timeoutMs: 20_000 });
    expect(machine.hostKey).toBe(bare(sshd.hostKey));
    expect(heard).toEqual([["", password]]);
  } finally {
    server.close();
  }
});

function rigWith(consoleOutput: () => string) {
  return newStageRig(newProvider({ consoleOutput: () => Promise.resolve(consoleOutput()) }), {
    login: password,
  });
}

/** Without its comment. */
function bare(key: string): string {
  return key.split(" ").slice(0, 2).join(" ");
}

function keysInConsole(key: string): string {
  return `-----BEGIN SSH HOST KEY KEYS-----\n${key}\n-----END SSH HOST KEY KEYS-----\n`;
}

function toReach({ address }: Sshd): Reach {
  return {
    account,
    instanceId: "i-0123456789abcdef0",
    instanceType: "m3.medium",
    host: address.host,
    port: address.port,
    user: address.user,
    privateKeyPath: "",
    publicKey: "",
    connectTimeoutSeconds: 20,
    way: toWay({ password: { $secret: "login" } }),
  };
}
