import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { openJournal } from "../../src/journal/journal-file.ts";
import { PlanBuilder } from "../../src/plan/plan.ts";
import { run } from "../../src/run/run.ts";
import { noCloud, toStage, toStages } from "../run/rig.ts";
import { fileThing } from "./file-thing.ts";

/** Makes files through a real run, says so, and then waits to be killed: `node hold-program.js DIRECTORY`. */
const [directory = "."] = process.argv.slice(2);
const hold = toStage("hold", async (_input: object, { scope }) => {
  await scope.acquire(fileThing, join(directory, "first"));
  await scope.acquire(fileThing, join(directory, "second"));
  process.stdout.write("holding\n");
  await sleep(60_000);
  return null;
});
const plan = new PlanBuilder("held");
plan.add("r", "hold", hold, {});
const signal = new AbortController().signal;
await using journal = await openJournal(directory);
await run(plan.toPlan(), {
  stages: toStages(hold),
  cloud: noCloud,
  journal,
  run: { id: "killed", directory },
  signal,
  abandon: signal,
  onFailure: "clean",
  secrets: new Map(),
  onEvent: () => undefined,
});
