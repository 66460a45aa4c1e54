import { Problem } from "../problem.ts";
import type { Json } from "../util/json.ts";
import { isRef, type Plan, type Task } from "./plan.ts";

/** A plan as JSON text; `fromJsonText` gives the same plan back. */
export function toJsonText(plan: Plan): string {
  return `${JSON.stringify(plan, undefined, 2)}\n`;
}

/** Reads what `toJsonText` wrote. Throws the Problem `spec-invalid` on anything that is not a plan that can be run. */
export function fromJsonText(text: string): Plan {
  const plan = parse(text);
  if (!isObject(plan)) throw refuse("no plan");
  const { version, name, tasks } = plan;
  if (!Array.isArray(tasks) || typeof name !== "string") throw refuse("no plan");
  if (version !== 1) throw refuse(`a plan of version ${JSON.stringify(version)}`);
  const before = new Set<string>();
  const checked = tasks.map((value: unknown, index) => {
    if (!isTask(value)) throw refuse(`a plan whose tasks[${index}] is no task`);
    const missing = value.needs.find((need) => !before.has(need));
    if (missing !== undefined)
      throw refuse(`a plan in which ${value.id} needs ${missing}, which does not come before it`);
    if (before.has(value.id)) throw refuse(`a plan with two tasks ${value.id}`);
    before.add(value.id);
    return value;
  });
  return { version: 1, name, tasks: checked };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw refuse("no JSON", cause);
  }
}

function refuse(what: string, cause?: unknown): Problem {
  return new Problem("spec-invalid", `this is ${what}`, {
    hint: "make one with: imgspec plan SPEC --output json",
    cause,
  });
}

function isTask(value: unknown): value is Task {
  if (!isObject(value)) return false;
  const { id, group, title, stage, input, needs, digest } = value;
  if (![id, group, title, stage, digest].every((text) => typeof text === "string")) return false;
  if (!isObject(input) || !Array.isArray(needs)) return false;
  // The needs are the refs, or a value would be missing when the task runs.
  const refs = Object.values(input as { readonly [key: string]: Json }).flatMap((field) =>
    isRef(field) ? field.$ref : [],
  );
  return refs.every((ref) => needs.includes(ref)) && needs.every((need) => typeof need === "string");
}

function isObject(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
