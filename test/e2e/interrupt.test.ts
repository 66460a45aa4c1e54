import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { newCli } from "../help/cli.ts";
import { newEmulated } from "../help/emulated.ts";

const nothing = { instances: [], keyPairs: [], securityGroups: [], images: [], snapshots: [], objects: [] };

test("Ctrl-C in the middle of the upload ends with 130 and leaves nothing in the account", async () => {
  await using cli = await newCli("quickstart");
  await using emulator = await newEmulated(join(cli.folder, "image.yaml"));
  emulator.fail("PutObject", "slow", { times: 1000 });
  const started = await cli.start(/us-east-1\/upload/, "build", "image.yaml", "--emulator", emulator.url);
  started.process.kill("SIGINT");
  // As npx does, which passes on what the terminal has sent to both.
  await sleep(30);
  started.process.kill("SIGINT");
  const { code, stdout } = await started.ended;
  expect(code).toBe(130);
  expect(stdout).toContain("interrupted");
  expect(emulator.left()).toEqual(nothing);
  expect(await cli.result()).toMatchObject({ outcome: "interrupted", exitCode: 130, leftBehind: [] });
});

// SIGKILL leaves it to `clean`.
test.each(["SIGINT", "SIGKILL"] as const)(
  "%s while the instance puts parts leaves none, not even one that was on its way",
  async (name) => {
    await using cli = await newCli("quickstart");
    await using emulator = await newEmulated(join(cli.folder, "image.yaml"));
    emulator.fail("PutObject", "slow", { times: 1000 });
    const running = ["build", "image.yaml", "--emulator", emulator.url];
    const started = await cli.start(/us-east-1\/bundle {2}\+ parts quickstart-images/, ...running);
    // The probe and the claim came before.
    while (emulator.calls("PutObject") < 3) await sleep(20);
    started.process.kill(name);
    const { code } = await started.ended;
    if (name === "SIGINT") expect(code).toBe(130);
    else expect((await cli.run("clean", await runOf(cli.folder))).code).toBe(0);
    await sleep(2500);
    expect(emulator.left()).toEqual(nothing);
  },
);

test("what a killed run holds is given back by clean, from its journal alone", async () => {
  await using cli = await newCli("quickstart");
  await using emulator = await newEmulated(join(cli.folder, "image.yaml"));
  emulator.fail("PutObject", "slow", { times: 1000 });
  const started = await cli.start(/us-east-1\/bundle/, "build", "image.yaml", "--emulator", emulator.url);
  started.process.kill("SIGKILL");
  await started.ended;
  expect(emulator.left()).not.toEqual(nothing);

  const run = await runOf(cli.folder);
  const { code, stdout } = await cli.run("clean", run);
  expect(stdout).toMatch(/released instance i-[0-9a-f]+ in us-east-1/);
  expect(code).toBe(0);
  expect(emulator.left()).toEqual(nothing);
});

test("clean leaves a run alone that is still at work, and names its process", async () => {
  await using cli = await newCli("quickstart");
  await using emulator = await newEmulated(join(cli.folder, "image.yaml"));
  emulator.fail("PutObject", "slow", { times: 1000 });
  const started = await cli.start(/us-east-1\/bundle/, "build", "image.yaml", "--emulator", emulator.url);
  const run = await runOf(cli.folder);
  const { code, stderr } = await cli.run("clean", run);
  expect(stderr).toContain(`process ${started.process.pid} is still at work on the run`);
  expect(code).toBe(1);
  expect(emulator.left().instances).toHaveLength(1);
  started.process.kill("SIGINT");
  expect((await started.ended).code).toBe(130);
  expect(emulator.left()).toEqual(nothing);
});

test("Ctrl-C that ends the reader of the output too is one Ctrl-C, and nothing is left", async () => {
  await using cli = await newCli("quickstart");
  await using emulator = await newEmulated(join(cli.folder, "image.yaml"));
  const started = await cli.start(/us-east-1\/bundle/, "build", "image.yaml", "--emulator", emulator.url);
  started.process.kill("SIGINT");
  started.process.stdout?.destroy();
  expect((await started.ended).code).toBe(130);
  expect(emulator.left()).toEqual(nothing);
  expect(await cli.result()).toMatchObject({ outcome: "interrupted", leftBehind: [] });
});

test("a terminal that closes ends the run in order", async () => {
  await using cli = await newCli("quickstart");
  await using emulator = await newEmulated(join(cli.folder, "image.yaml"));
  const started = await cli.start(/us-east-1\/bundle/, "build", "image.yaml", "--emulator", emulator.url);
  started.process.kill("SIGHUP");
  started.process.stdout?.destroy();
  started.process.kill("SIGHUP");
  expect((await started.ended).code).toBe(130);
  expect(emulator.left()).toEqual(nothing);
});

test("a reader that goes away ends the run in order", async () => {
  await using cli = await newCli("quickstart");
  await using emulator = await newEmulated(join(cli.folder, "image.yaml"));
  const started = await cli.start(/us-east-1\/launch/, "build", "image.yaml", "--emulator", emulator.url);
  started.process.stdout?.destroy();
  expect((await started.ended).code).toBe(130);
  expect(emulator.left()).toEqual(nothing);
});

async function runOf(folder: string): Promise<string> {
  const { readdir } = await import("node:fs/promises");
  const [run = ""] = await readdir(join(folder, ".imgspec/runs"));
  await readFile(join(folder, ".imgspec/runs", run, "journal.jsonl"));
  return run;
}
