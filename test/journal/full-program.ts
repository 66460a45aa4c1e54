import { openJournal } from "../../src/journal/journal-file.ts";
import { PlanBuilder } from "../../src/plan/plan.ts";
import { run } from "../../src/run/run.ts";
import { noCloud, toStage, toStages, toThing } from "../run/rig.ts";

/** Acquires until the journal is full and prints how that went: `node full-program.js DIRECTORY`. */
const [directory = "."] = process.argv.slice(2);
const world = new Set<string>();
const thing = toThing(world);
const fill = toStage("fill", async (_input: object, { scope }) => {
  for (let index = 0; index < 100; index += 1) await scope.acquire(thing, `${index} ${"x".repeat(100)}`);
  return null;
});
const plan = new PlanBuilder("full");
plan.add("r", "fill", fill, {});
let acquired = false;
const signal = new AbortController().signal;
await using journal = await openJournal(directory);
const { outcome, failures } = await run(plan.toPlan(), {
  stages: toStages(fill),
  cloud: noCloud,
  journal,
  run: { id: "full", directory },
  signal,
  abandon: signal,
  onFailure: "clean",
  secrets: new Map(),
  onEvent: (event) => {
    if (event.type === "resource.changed") acquired = true;
  },
});
process.stdout.write(
  JSON.stringify({ outcome, codes: failures.map(({ code }) => code), acquired, left: world.size }),
);
