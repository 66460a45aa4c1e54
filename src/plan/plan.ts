import { createHash } from "node:crypto";
import type { Stage } from "../stage/stage.ts";
import { type Json, toCanonicalJson } from "../util/json.ts";

export type TaskId = string;

/** Stands in for the output of a task that has not run yet. */
export type Ref<out T> = { readonly $ref: TaskId; readonly __output?: T };

/** A stage's input as a plan writes it: any field may still be owed by another task. */
export type Inputs<I> = { readonly [K in keyof I]: I[K] | Ref<I[K]> };

export type Task = {
  /** `group/word`, such as `us-east-1/launch`. */
  readonly id: TaskId;
  /** What the tree shows it under: the region. */
  readonly group: string;
  readonly title: string;
  readonly stage: string;
  readonly input: { readonly [key: string]: Json };
  /** Read off the refs in `input`, and so never out of step with them. */
  readonly needs: readonly TaskId[];
  /** SHA-256 over stage, input and the digests of what it needs: a changed step changes every later one. */
  readonly digest: string;
};

/** Plain data: prints, diffs, digests, and can be carried out by another process. */
export type Plan = { readonly version: 1; readonly name: string; readonly tasks: readonly Task[] };

export function isRef(value: unknown): value is Ref<Json> {
  return (
    typeof value === "object" && value !== null && typeof (value as { $ref?: unknown }).$ref === "string"
  );
}

/** Adds tasks in an order in which they can run: a ref exists only once its task was added. */
export class PlanBuilder {
  readonly #name: string;
  readonly #tasks = new Map<TaskId, Task>();

  constructor(name: string) {
    this.#name = name;
  }

  /** Adds a task and returns the promise of its output. Throws on an id that is taken or a ref to no task (a bug). */
  add<I extends object, O extends Json>(
    group: string,
    word: string,
    stage: Stage<I, O>,
    input: Inputs<I>,
    title: string = stage.title,
  ): Ref<O> {
    const id = `${group}/${word}`;
    if (this.#tasks.has(id)) throw new Error(`task ${id} is in the plan already`);
    const needs = [...new Set(Object.values(input).flatMap((value) => (isRef(value) ? value.$ref : [])))];
    // The one cast that forgets a stage's types, so that all tasks fit one list; `run` casts back per stage kind.
    const plain = input as unknown as { readonly [key: string]: Json };
    const digest = createHash("sha256")
      .update(
        toCanonicalJson({
          stage: stage.kind,
          input: stage.decides ? pick(plain, stage.decides) : plain,
          needs: needs.map((need) => this.#digestOf(need)),
        }),
      )
      .digest("hex");
    this.#tasks.set(id, { id, group, title, stage: stage.kind, input: plain, needs, digest });
    return { $ref: id };
  }

  toPlan(): Plan {
    return { version: 1, name: this.#name, tasks: [...this.#tasks.values()] };
  }

  #digestOf(id: TaskId): string {
    const task = this.#tasks.get(id);
    if (!task) throw new Error(`no task ${id} in the plan`);
    return task.digest;
  }
}

function pick(input: Task["input"], keys: readonly string[]): Task["input"] {
  return Object.fromEntries(Object.entries(input).filter(([key]) => keys.includes(key)));
}
