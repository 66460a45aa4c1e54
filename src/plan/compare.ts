import { breakpoint } from "../stage/breakpoint.ts";
import { type Json, toCanonicalJson } from "../util/json.ts";
import type { Plan, Task, TaskId } from "./plan.ts";

/** A value of a task's input that is not what it was; absent on the side that does not have it. */
export type Difference = { readonly path: string; readonly before?: Json; readonly after?: Json };

export type Change =
  | { readonly kind: "added" | "removed"; readonly task: Task }
  | { readonly kind: "changed"; readonly task: Task; readonly differences: readonly Difference[] }
  /** Nothing of its own changed, but what it needs did, so it is done anew. */
  | { readonly kind: "follows"; readonly task: Task; readonly after: readonly TaskId[] };

/** A plan, and the run whose id is in it; ids differ from run to run, and that is no change. */
export type Dated = { readonly plan: Plan; readonly run: string };

/** What a plan does otherwise than an earlier one, in the order of its tasks, then what it no longer does. */
export function comparePlans(before: Dated, after: Dated): readonly Change[] {
  const old = new Map(before.plan.tasks.map((task) => [task.id, task]));
  const changed = new Set<TaskId>();
  const changes: Change[] = [];
  for (const task of after.plan.tasks) {
    const other = old.get(task.id);
    old.delete(task.id);
    const change = other
      ? changeOf(other, before.run, task, after.run, changed)
      : ({ kind: "added", task } as const);
    if (!change) continue;
    // What it is told decides nothing.
    if (task.stage !== breakpoint.kind) changed.add(task.id);
    changes.push(change);
  }
  return [...changes, ...[...old.values()].map((task) => ({ kind: "removed", task }) as const)];
}

function changeOf(
  before: Task,
  oldRun: string,
  after: Task,
  newRun: string,
  changed: ReadonlySet<TaskId>,
): Change | undefined {
  const differences = [
    ...differencesOf("stage", before.stage, after.stage),
    ...differencesOf("", undated(before.input, oldRun), undated(after.input, newRun)),
  ];
  if (differences.length > 0) return { kind: "changed", task: after, differences };
  const moved = after.needs.filter((need) => changed.has(need));
  return moved.length > 0 ? { kind: "follows", task: after, after: moved } : undefined;
}

/** What stands for the id of the run. */
const placeholder = "<build.id>";

function undated(value: Json, run: string): Json {
  if (typeof value === "string") return value.replaceAll(run, placeholder);
  if (Array.isArray(value)) return value.map((item) => undated(item, run));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, undated(inner, run)]));
}

function* differencesOf(
  path: string,
  before: Json | undefined,
  after: Json | undefined,
): Iterable<Difference> {
  const steps = stepsOf(before, after);
  if (steps) {
    for (const [step, old, now] of steps)
      yield* differencesOf(path === "" ? step.replace(".", "") : `${path}${step}`, old, now);
  } else if (toText(before) !== toText(after)) {
    yield { path, ...(before !== undefined && { before }), ...(after !== undefined && { after }) };
  }
}

type Step = readonly [step: string, before: Json | undefined, after: Json | undefined];

/** What is inside of both, where both are maps, or lists of one length. */
function stepsOf(before: Json | undefined, after: Json | undefined): readonly Step[] | undefined {
  if (isMap(before) && isMap(after)) {
    const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...keys].map((key) => [`.${key}`, before[key], after[key]]);
  }
  if (!Array.isArray(before) || !Array.isArray(after) || before.length !== after.length) return undefined;
  return after.map((item: Json, index) => [`[${index}]`, before[index] as Json, item]);
}

function isMap(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function toText(value: Json | undefined): string | undefined {
  return value === undefined ? undefined : toCanonicalJson(value);
}
