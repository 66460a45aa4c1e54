import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Cloud } from "../../src/aws/cloud.ts";
import type { Journal } from "../../src/journal/journal.ts";
import { openJournal } from "../../src/journal/journal-file.ts";
import type { Resource } from "../../src/journal/resource.ts";
import type { Plan } from "../../src/plan/plan.ts";
import type { RunEvent } from "../../src/run/event.ts";
import type { RunResult } from "../../src/run/result.ts";
import { type AnyStage, type RunOptions, run } from "../../src/run/run.ts";
import type { Stage, StageContext } from "../../src/stage/stage.ts";
import type { Json } from "../../src/util/json.ts";

/** A cloud without accounts: the stages of these tests ask nothing of it. */
export const noCloud: Cloud = {
  options: {},
  account: () => {
    throw new Error("no accounts here");
  },
};

/** A directory that goes away with the test. */
export async function newDirectory(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), "imgspec-test-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** A stage from a function. */
export function toStage<I, O extends Json>(
  kind: string,
  work: (input: I, context: StageContext) => O | Promise<O>,
): Stage<I, O> {
  return { kind, title: kind, exitCode: 6, run: async (input, context) => work(input, context) };
}

export function toStages(...stages: readonly Stage<never, Json>[]): ReadonlyMap<string, AnyStage> {
  return new Map(stages.map((stage) => [stage.kind, stage]));
}

/** A thing by name; what exists is in `world`. */
export function toThing(
  world: Set<string>,
  release?: (name: string) => Promise<void>,
): Resource<string, string> {
  return {
    kind: "test.thing",
    acquire: async (name) => {
      world.add(name);
      return name;
    },
    release: async (name) => {
      await release?.(name);
      world.delete(name);
    },
    describe: (name) => `thing ${name}`,
    byHand: (name) => `rm ${name}`,
  };
}

export type Told = {
  readonly result: RunResult;
  readonly events: readonly RunEvent[];
  /** One line an event: its type and what it is about. */
  readonly told: readonly string[];
  readonly journal: Journal;
};

/** Runs a plan with a real journal. */
export async function runPlan(
  plan: Plan,
  stages: ReadonlyMap<string, AnyStage>,
  options: Partial<RunOptions> = {},
): Promise<Told> {
  await using directory = await newDirectory();
  await using journal = await openJournal(directory.path);
  const events: RunEvent[] = [];
  const result = await run(plan, {
    stages,
    cloud: noCloud,
    journal,
    run: { id: "20261122-213330-test", directory: directory.path },
    signal: new AbortController().signal,
    abandon: new AbortController().signal,
    onFailure: "clean",
    secrets: new Map(),
    ...options,
    onEvent: (event) => {
      events.push(event);
      options.onEvent?.(event);
    },
  });
  return { result, events, told: events.map(toLine), journal };
}

function toLine(event: RunEvent): string {
  if (event.type === "resource.changed") return `${event.change} ${event.name}`;
  if (event.type === "run.finished") return `run ${event.outcome}`;
  if (event.type === "task.log") return `${event.task} says ${event.line}`;
  return "task" in event ? `${event.type.slice("task.".length)} ${event.task}` : event.type;
}
