import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { PlanBuilder } from "../../src/plan/plan.ts";
import { breakpoint } from "../../src/stage/breakpoint.ts";
import type { LaunchedInstance } from "../../src/stage/launch.ts";
import { shell } from "../../src/stage/shell.ts";
import type { Ask } from "../../src/stage/stage.ts";
import { haveSshd, startSshd } from "../help/sshd.ts";
import { toInstance } from "../help/sshd-stage.ts";
import { newProvider, newStageRig } from "../help/stage-rig.ts";

const plain = { note: "look at it", timeoutSeconds: 60, isSkipped: false, label: "provision[1]" };

test.skipIf(!haveSshd)(
  "as long as it waits one can log in with what it tells, and go on or not",
  async () => {
    await using sshd = await startSshd();
    await using rig = await newStageRig(newProvider({}));
    const on = toInstance(sshd);
    const run = (ask: Ask, timeoutSeconds = 60): Promise<LaunchedInstance> =>
      breakpoint.run({ ...plain, on, timeoutSeconds }, { ...rig.context("us-east-1/p"), ask });

    const seen: string[] = [];
    await run(async ({ lines }) => {
      seen.push(...lines);
      const [, command = ""] = lines.at(-1)?.split(": ") ?? [];
      const { stdout } = await promisify(execFile)("/bin/sh", ["-c", `${command} 'echo "$HOME"' </dev/null`]);
      seen.push(stdout.trim());
      return "";
    });
    expect(seen).toEqual([
      "us-east-1/p waits at the breakpoint provision[1]: look at it",
      `  ${on.instanceId}, ${on.user} at ${on.host} port ${on.port}, key ${on.privateKeyPath}`,
      `  log in until then: ssh -F ${rig.run.directory}/us-east-1-p.relay/ssh_config ${on.instanceId}`,
      `${sshd.directory}/home`,
    ]);
    expect(rig.lines.at(-1)).toMatch(/^went on after \d+ s$/);
    await expect(run(async () => "a")).rejects.toMatchObject({
      code: "interrupted",
      message: "it was ended at the breakpoint provision[1]",
    });
    const never: Ask = (_, signal) =>
      new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    await expect(run(never, 0.5)).rejects.toMatchObject({
      code: "timeout",
      message: "nobody answered at the breakpoint provision[1] within 0.5 s",
    });
    expect(await readdir(rig.run.directory)).not.toContainEqual(expect.stringContaining("relay"));
  },
);

test("what it says decides nothing of what comes after it", () => {
  const digests = ["one", "other"].map((note) => {
    const plan = new PlanBuilder("web");
    const on = plan.add("r", "p.1", breakpoint, { ...plain, on: {} as LaunchedInstance, note });
    const input = {
      env: {},
      sudo: false,
      workdir: null,
      exitCodes: [0],
      timeoutSeconds: 1,
      retries: 0,
      label: "",
    };
    plan.add("r", "p.2", shell, { ...input, script: { inline: "true" }, on });
    return plan.toPlan().tasks.map(({ digest }) => digest);
  });
  expect(digests[0]).toEqual(digests[1]);
});
