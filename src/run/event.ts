import type { ResourceChange } from "../journal/resource-change.ts";
import type { ProblemCode } from "../problem.ts";

export type TaskFacts = {
  readonly id: string;
  readonly group: string;
  readonly title: string;
  readonly needs: readonly string[];
};

/** Everything that can be told about a run. Promise to scripts: schemas/event.v1.schema.json. */
export type Happening =
  | {
      readonly type: "run.started";
      /** Of schemas/event.v1.schema.json. */
      readonly schema: 1;
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
      /** What lies behind it: the messages of the errors that caused it, outermost first. */
      readonly causes: readonly string[];
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
