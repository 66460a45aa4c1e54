import { expect, test } from "vitest";
import type { Instance, Provider } from "../../src/aws/provider.ts";
import { waitForConsole } from "../../src/stage/console.ts";
import { account } from "../help/stage-inputs.ts";
import { newProvider, newStageRig } from "../help/stage-rig.ts";

const speaker = { account, instanceId: "i-1" };

test("the wait ends with the line in which the pattern was found", async () => {
  const texts = ["", "booting\r\n", "booting\r\nweb login: \r\n"];
  await using rig = await newStageRig(toTalker("running", () => texts.shift() ?? ""));
  await waitForConsole(speaker, "^\\w+ login: $", 60, rig.context("us-east-1/boot"));
  expect(rig.lines.at(-1)).toBe("the console output shows: web login:");
});

test("an instance that ends itself is not waited for, and its last lines say why", async () => {
  await using rig = await newStageRig(toTalker("terminated", () => "VFS: no root\nKernel panic\n"));
  await expect(waitForConsole(speaker, "login:", 3600, rig.context("us-east-1/boot"))).rejects.toMatchObject({
    code: "boot-failed",
    message:
      "i-1 is terminated (Client.InstanceInitiatedShutdown), and its console output did not show login:; it ends with\n  VFS: no root\n  Kernel panic",
  });
});

test("a console that stays empty is told as that", async () => {
  await using rig = await newStageRig(toTalker("running", () => ""));
  await expect(waitForConsole(speaker, "login:", 1, rig.context("us-east-1/boot"))).rejects.toMatchObject({
    code: "timeout",
    message: "the console output of i-1 did not show login: within 1 s; it is empty",
  });
});

test("the wait ends at once when the run is stopped", async () => {
  await using rig = await newStageRig(toTalker("running", () => ""));
  const context = rig.context("us-east-1/boot", AbortSignal.timeout(100));
  await expect(waitForConsole(speaker, "login:", 3600, context)).rejects.toThrow(/abort/i);
});

function toTalker(state: string, say: () => string): Provider {
  const stateReason = state === "running" ? null : "Client.InstanceInitiatedShutdown";
  const instance: Instance = {
    id: "i-1",
    state,
    stateReason,
    publicAddress: null,
    privateAddress: null,
    zone: "us-east-1a",
  };
  return newProvider({
    describeInstance: () => Promise.resolve(instance),
    consoleOutput: () => Promise.resolve(say()),
  });
}
