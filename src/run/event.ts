import type { ProblemCode } from "../problem.ts";

export type TaskFacts = {
  readonly id: string;
  readonly group: string;
  readonly title: string;
  readonly needs: readonly string[];
};

/** What became of something that costs money. `name` is one line for people. */
export type ResourceChange = {
  readonly change: "acquired" | "released" | "leaked";
  readonly kind: string;
  readonly name: string;
  /** Only with `leaked`: why, and the command that removes it. */
  readonly reason?: string;
  readonly byHand?: string;
};

/** Everything that can be told about a run. Promise to scripts: schemas/event.v1.schema.json. */
export type Happening =
  | {
      readonly type: "run.started";
      readonly run: string;
      readonly name: string;
      readonly tasks: readonly TaskFacts[];
    }
  | { readonly type: "task.started"; readonly task: string }
  | {
      readonly type: "task.progress";
      readonly task: string;
      readonly doneBytes: number;
      readonly totalBytes: number | null;
    }
  | { readonly type: "task.log"; readonly task: string; readonly line: string }
  | {
      readonly type: "task.succeeded";
      readonly task: string;
      readonly ms: number;
      readonly summary: string | null;
    }
  | {
      readonly type: "task.failed";
      readonly task: string;
      readonly ms: number;
      readonly code: ProblemCode | "bug";
      readonly message: string;
      readonly hint: string | null;
      /** The last lines that the task logged. */
      readonly tail: readonly string[];
    }
  | { readonly type: "task.canceled"; readonly task: string }
  | { readonly type: "task.skipped"; readonly task: string; readonly reason: string }
  | ({ readonly type: "resource.changed" } & ResourceChange)
  | { readonly type: "run.cleaning"; readonly count: number }
  | { readonly type: "run.finished"; readonly outcome: Outcome; readonly ms: number };

export type Outcome = "succeeded" | "failed" | "interrupted";

/** `at`: milliseconds since the epoch. */
export type RunEvent = { readonly at: number } & Happening;
