import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Cloud } from "../../src/aws/cloud.ts";
import type { LaunchedInstance } from "../../src/stage/launch.ts";
import { type ShellInput, shell } from "../../src/stage/shell.ts";
import { downloadFiles, uploadFiles } from "../../src/stage/transfer.ts";
import { whyNot } from "../emulator/sandbox/rig.ts";
import { type CuttingProxy, startCuttingProxy } from "../help/cutting-proxy.ts";
import { haveSshd, type Sshd, startSshd } from "../help/sshd.ts";
import { newBuilder } from "../help/stage-builder.ts";
import { account } from "../help/stage-inputs.ts";
import { newProvider, newStageRig, type StageRig } from "../help/stage-rig.ts";

describe.skipIf(!haveSshd)(
  "provisioning over OpenSSH's sshd (skipped where /usr/sbin/sshd is missing)",
  () => {
    let sshd: Sshd;
    let rig: StageRig;
    beforeAll(async () => {
      sshd = await startSshd();
      rig = await newStageRig(newProvider({}));
    });
    afterAll(async () => {
      await rig[Symbol.asyncDispose]();
      await sshd[Symbol.asyncDispose]();
    });

    const toInstance = ({ port }: CuttingProxy): LaunchedInstance => ({
      account,
      instanceId: "i-0123456789abcdef0",
      instanceType: "m3.medium",
      host: "127.0.0.1",
      port,
      user: sshd.address.user,
      privateKeyPath: join(sshd.directory, "user"),
      publicKey: "",
      hostKey: sshd.hostKey,
      connectTimeoutSeconds: 20,
    });
    const base = { timeoutSeconds: 60, retries: 0, label: "provision[0]" };

    test("a script whose connection is cut five times succeeds at the first try", async () => {
      await using proxy = await startCuttingProxy(sshd.address.port, [5000, 9000, 7000, 15_000, 6000]);
      const script = { inline: `i=0; while [ $i -lt 3000 ]; do i=$((i + 1)); echo line $i of 3000; done` };
      const input: ShellInput = {
        ...base,
        on: toInstance(proxy),
        script,
        env: {},
        sudo: false,
        workdir: null,
        exitCodes: [0],
      };
      await rig.stage(shell, input);
      const printed = rig.lines.filter((line) => line.startsWith("line "));
      expect(printed).toEqual(Array.from({ length: 3000 }, (_, i) => `line ${i + 1} of 3000`));
      expect(proxy.cuts).toBe(5);
    });

    test.each([false, true])("files arrive whole over a connection that is cut (sudo: %s)", async (sudo) => {
      const [from, to] = [join(rig.run.directory, `from-${sudo}`), join(rig.run.directory, `to-${sudo}`)];
      await mkdir(from);
      const bytes = randomBytes(3_000_000);
      await writeFile(join(from, "big"), bytes);
      await writeFile(join(from, "small"), "small\n");
      // Of what comes back there is too little to cut by: how much of it acknowledges differs from run to run.
      await using proxy = await startCuttingProxy(sshd.address.port, [1_000_000, 2_000_000], "to the server");
      const on = toInstance(proxy);
      await rig.stage(uploadFiles, { ...base, on, from, to, contents: "", mode: null, sudo });
      expect(proxy.cuts).toBe(2);
      expect((await readdir(to)).toSorted()).toEqual(["big", "small"]);
      expect((await readFile(join(to, "big"))).equals(bytes)).toBe(true);
      expect((await readdir("/tmp")).filter((name) => /^\.imgspec-[0-9a-f]{16}$/.test(name))).toEqual([]);
    });

    test("a file that is fetched over a connection that is cut is whole", async () => {
      const bytes = randomBytes(3_000_000);
      const [from, to] = [join(rig.run.directory, "remote"), join(rig.run.directory, "local")];
      await writeFile(from, bytes);
      await using proxy = await startCuttingProxy(sshd.address.port, [200_000, 2_000_000]);
      await rig.stage(downloadFiles, { ...base, on: toInstance(proxy), from, to });
      expect(proxy.cuts).toBe(2);
      expect((await readFile(to)).equals(bytes)).toBe(true);
    });
  },
);

const why = await whyNot();

test.skipIf(why !== undefined)(
  `a script on the emulator's instance survives five cuts as well (skipped where there is no sandbox: ${why})`,
  async () => {
    await using builder = await newBuilder();
    const { rig, on } = builder;
    const network = new URL(rig.cloud.options.networkProxy ?? "");
    await using proxy = await startCuttingProxy(Number(network.port), [9000, 9000, 9000, 9000, 9000]);
    network.port = String(proxy.port);
    const options = { ...rig.cloud.options, networkProxy: network.href };
    const cloud: Cloud = { account: (account) => rig.cloud.account(account), options };
    const inline = "i=0; while [ $i -lt 3000 ]; do i=$((i + 1)); echo line $i of 3000; done; sleep 1";
    const input: ShellInput = {
      on,
      script: { inline },
      env: {},
      sudo: true,
      workdir: null,
      exitCodes: [0],
      timeoutSeconds: 60,
      retries: 0,
      label: "provision[0]",
    };
    await shell.run(input, { ...rig.context("us-east-1/provision.1"), cloud });
    const printed = rig.lines.filter((line) => line.startsWith("line "));
    expect(printed).toEqual(Array.from({ length: 3000 }, (_, i) => `line ${i + 1} of 3000`));
    expect(proxy.cuts).toBe(5);
  },
);
