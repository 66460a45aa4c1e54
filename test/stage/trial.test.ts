import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Emulator } from "../../src/emulator/emulator.ts";
import { type TrialInput, trial } from "../../src/stage/trial.ts";
import { whyNot } from "../emulator/sandbox/rig.ts";
import { newSandboxCloud, toLaunch } from "../help/stage-builder.ts";
import { account } from "../help/stage-inputs.ts";
import { newStageRig, type StageRig } from "../help/stage-rig.ts";

const why = await whyNot();

describe.skipIf(why !== undefined)(`a trial (skipped where there is no sandbox: ${why})`, () => {
  let emulator: Emulator;
  let rig: StageRig;

  beforeAll(async () => {
    emulator = await newSandboxCloud();
  });
  afterAll(() => emulator[Symbol.asyncDispose]());
  beforeEach(async () => {
    rig = await newStageRig(emulator.cloud);
    return () => rig[Symbol.asyncDispose]();
  });

  test("says what the command printed on an instance of the new image, and gives that back at once", async () => {
    const tried = await rig.stage(trial, await toInput("seq 30"));
    expect(tried.output).toEqual(Array.from({ length: 20 }, (_, index) => String(index + 11)));
    expect(trial.summarize?.(tried)).toBe(`${tried.instanceId} says: 11`);
    expect(emulator.left()).toMatchObject({ instances: [], keyPairs: [], securityGroups: [] });
  });

  test("of a command that fails is the image's failure, and names the image", async () => {
    const input = await toInput("echo no; exit 3");
    await expect(rig.stage(trial, input)).rejects.toMatchObject({
      code: "image-mismatch",
      message: `the new image ${input.registered.imageId} failed its trial: the inline script (--try) exited with 3`,
    });
    expect(rig.lines.at(-1)).toBe("no");
  });

  async function toInput(command: string): Promise<TrialInput> {
    const launched = await toLaunch(rig);
    const { id, architecture, virtualization } = launched.checked.source;
    const registered = {
      account,
      region: "us-east-1",
      imageId: id,
      name: "web 1",
      location: "",
      architecture,
      virtualization,
    };
    // What is launched is the registered image, not the source.
    const checked = { ...launched.checked, source: { ...launched.checked.source, id: "ami-0source00000" } };
    return { ...launched, checked, registered, command };
  }
});
