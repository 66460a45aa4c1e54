import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { reboot } from "../../src/stage/reboot.ts";
import { shell } from "../../src/stage/shell.ts";
import { whyNot } from "../emulator/sandbox/rig.ts";
import { haveSshd, startSshd } from "../help/sshd.ts";
import { toInstance } from "../help/sshd-stage.ts";
import { type Builder, newBuilder } from "../help/stage-builder.ts";
import { newProvider, newStageRig } from "../help/stage-rig.ts";

const why = await whyNot();

describe.skipIf(why !== undefined)(`a reboot (skipped where there is no sandbox: ${why})`, () => {
  let builder: Builder;

  beforeAll(async () => {
    builder = await newBuilder();
  });
  afterAll(() => builder[Symbol.asyncDispose]());

  test("the instance is in another boot afterwards, with its files and without its processes", async () => {
    const { rig, on, sh } = builder;
    await sh("echo kept >/home/ec2-user/file; echo gone >/tmp/file; (sleep 4911 >/dev/null 2>&1 &)");
    const before = await sh("cat /proc/sys/kernel/random/boot_id");
    const after = await rig.stage(reboot, { on, timeoutSeconds: 60, label: "provision[1]" });
    expect(after).toEqual(on);
    expect(await sh("cat /proc/sys/kernel/random/boot_id")).not.toBe(before);
    expect(
      await sh("cat /home/ec2-user/file; ls /tmp; cat /proc/[0-9]*/cmdline | grep -ac 491[1] || true"),
    ).toBe("kept\n0\n");
    expect(rig.lines).toContain(`${on.instanceId} was told to reboot; waiting until it is back`);
    expect(rig.lines.at(-1)).toMatch(/ is back after \d+ s$/);
  });

  test("an instance can be rebooted once more, and scripts run on it as before", async () => {
    const { rig, on } = builder;
    await rig.stage(reboot, { on, timeoutSeconds: 60, label: "provision[1]" });
    const script = { inline: "cat /home/ec2-user/file" };
    const rest = { env: {}, sudo: true, workdir: null, exitCodes: [0], retries: 0, label: "provision[2]" };
    await rig.stage(shell, { on, script, timeoutSeconds: 30, ...rest });
    expect(rig.lines.at(-1)).toBe("kept");
  });

  test("a script that reboots the machine itself is told what it did", async () => {
    const { rig, on } = builder;
    const script = { inline: "reboot; sleep 60" };
    const rest = { env: {}, sudo: true, workdir: null, exitCodes: [0], retries: 0, label: "provision[2]" };
    await expect(rig.stage(shell, { on, script, timeoutSeconds: 30, ...rest })).rejects.toMatchObject({
      message: "the machine was started anew while a command ran on it",
    });
  });
});

test.skipIf(!haveSshd)(
  "an instance that does not reboot is waited for only as long as the spec says",
  async () => {
    // A machine that has the command, and does nothing.
    await using sshd = await startSshd([
      "ForceCommand case $SSH_ORIGINAL_COMMAND in *elev*|*exec*) ;; *) cat /proc/sys/kernel/random/boot_id ;; esac",
    ]);
    await using rig = await newStageRig(newProvider({}));
    const running = rig.stage(reboot, { on: toInstance(sshd), timeoutSeconds: 2, label: "provision[1]" });
    await expect(running).rejects.toMatchObject({
      code: "timeout",
      message: "the instance was not back within 2 s after the reboot of provision[1]",
    });
  },
);
