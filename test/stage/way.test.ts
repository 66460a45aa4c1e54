import { userInfo } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { publicKeyOf } from "../../src/machine/log-in.ts";
import { type LaunchedInstance, launch } from "../../src/stage/launch.ts";
import { type ShellInput, shell } from "../../src/stage/shell.ts";
import { toWay, type Way } from "../../src/stage/way.ts";
import { whyNot } from "../emulator/sandbox/rig.ts";
import { startCuttingProxy } from "../help/cutting-proxy.ts";
import { startSocksProxy } from "../help/socks-proxy.ts";
import { haveSshd, type Sshd, startSshd } from "../help/sshd.ts";
import { newSandboxCloud, toLaunch } from "../help/stage-builder.ts";
import { account } from "../help/stage-inputs.ts";
import { newProvider, newStageRig, type StageRig } from "../help/stage-rig.ts";
import { canHaveSudoers, password, startSudoerSshd } from "../help/sudoer.ts";

const script: Omit<ShellInput, "on"> = {
  script: { inline: "id -u; echo hello" },
  env: {},
  sudo: false,
  workdir: null,
  exitCodes: [0],
  timeoutSeconds: 60,
  retries: 0,
  label: "provision[0]",
};

function toInstance(sshd: Sshd, way: Partial<Way>): LaunchedInstance {
  return {
    account,
    instanceId: "i-0123456789abcdef0",
    instanceType: "m3.medium",
    host: sshd.address.host,
    port: sshd.address.port,
    user: sshd.address.user,
    privateKeyPath: join(sshd.directory, "user"),
    publicKey: "",
    hostKey: sshd.hostKey,
    connectTimeoutSeconds: 20,
    way: toWay(way),
  };
}

describe.skipIf(!haveSshd)(
  "an instance with OpenSSH's sshd (skipped where /usr/sbin/sshd is missing)",
  () => {
    let target: Sshd;
    let rig: StageRig;
    beforeAll(async () => {
      target = await startSshd();
      rig = await newStageRig(newProvider({}), { proxy: "p@ss:word" });
    });
    afterAll(async () => {
      await rig[Symbol.asyncDispose]();
      await target[Symbol.asyncDispose]();
    });

    test("is reached through the proxy and the bastion of the spec, with the proxy's password", async () => {
      await using bastion = await startSshd();
      await using proxy = await startSocksProxy({ credentials: "me:p@ss:word" });
      await using relay = await startCuttingProxy(bastion.address.port);
      const on = toInstance(target, {
        proxy: { url: proxy.url, user: "me", password: { $secret: "proxy" } },
        bastions: [
          {
            host: "127.0.0.1",
            port: relay.port,
            user: bastion.address.user,
            privateKey: join(bastion.directory, "user"),
            hostKey: bastion.hostKey,
          },
        ],
      });
      await rig.stage(shell, { ...script, on });
      expect(proxy.asked).toEqual([`me:p@ss:word@127.0.0.1:${relay.port}`]);
      expect(relay.made).toBe(1);
      expect(rig.lines.slice(-2)).toEqual([String(userInfo().uid), "hello"]);
      expect(JSON.stringify([on, rig.lines, rig.entries])).not.toContain("p@ss");
    });

    test("is not reached by an agent that is not there, which is told", async () => {
      const before = process.env["SSH_AUTH_SOCK"];
      delete process.env["SSH_AUTH_SOCK"];
      try {
        const on = toInstance(target, { agent: true });
        await expect(rig.stage(shell, { ...script, on })).rejects.toMatchObject({
          code: "connect-failed",
          message: "connect wants the SSH agent, and SSH_AUTH_SOCK is not set",
        });
      } finally {
        if (before !== undefined) process.env["SSH_AUTH_SOCK"] = before;
      }
    });
  },
);

test.skipIf(!canHaveSudoers)(
  "a script becomes root with the password of the spec (skipped unless root, with sudo)",
  async () => {
    await using sshd = await startSudoerSshd(["builder ALL=(ALL) ALL"]);
    await using rig = await newStageRig(newProvider({}), { sudo: password });
    const on = toInstance(sshd, { sudoPassword: { $secret: "sudo" } });
    await rig.stage(shell, { ...script, on, sudo: true });
    expect(rig.lines.slice(-2)).toEqual(["0", "hello"]);
    expect(JSON.stringify([on, rig.lines, rig.entries])).not.toContain(password);
  },
);

const why = await whyNot();

test.skipIf(why !== undefined || !haveSshd)(
  `with an existing key pair and its private key no temporary one is made (skipped where there is no sandbox: ${why})`,
  async () => {
    await using emulator = await newSandboxCloud();
    await using rig = await newStageRig(emulator.cloud);
    await using keys = await startSshd();
    const privateKey = join(keys.directory, "user");
    const publicKey = await publicKeyOf(privateKey);
    const signal = AbortSignal.timeout(60_000);
    await rig.cloud.account(account).importKeyPair({ name: "team", publicKey, tags: {} }, signal);
    const input = await toLaunch(rig);
    const on = await rig.stage(launch, {
      ...input,
      keyPair: "team",
      connect: { ...input.connect, privateKey },
    });
    expect(on).toMatchObject({ privateKeyPath: privateKey, publicKey });
    const changes = JSON.stringify(rig.changes);
    expect(changes).toContain("ec2.instance");
    expect(changes).not.toMatch(/ec2\.key-pair|local\.key-file/);
    await rig.stage(shell, { ...script, on });
    expect(rig.lines.at(-1)).toBe("hello");
  },
);

test.skipIf(why !== undefined || !haveSshd)(
  `a new image, which knows no key any more, gets the user's own as a temporary pair (skipped where there is no sandbox: ${why})`,
  async () => {
    await using emulator = await newSandboxCloud();
    await using rig = await newStageRig(emulator.cloud);
    await using keys = await startSshd();
    const input = await toLaunch(rig);
    const connect = { ...input.connect, privateKey: join(keys.directory, "user") };
    const on = await rig.stage(launch, { ...input, isForgotten: true, connect });
    await rig.stage(shell, { ...script, on });
    expect(rig.lines.at(-1)).toBe("hello");
    expect(emulator.left().keyPairs).toHaveLength(1);
    expect(await rig.giveBack()).toEqual([]);
    expect(emulator.left().keyPairs).toEqual([]);
  },
);
