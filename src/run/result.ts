import type { Leftover } from "../journal/resource-change.ts";
import type { ProblemCode } from "../problem.ts";
import type { Json } from "../util/json.ts";
import type { Outcome } from "./event.ts";

/** Why a task failed; every text is masked. */
export type Failure = {
  readonly task: string;
  readonly code: ProblemCode | "bug";
  readonly message: string;
  readonly hint: string | null;
  /** A file of this machine that tells more, such as the console output of an instance. */
  readonly file: string | null;
  /** The messages of the errors behind it, outermost first. */
  readonly causes: readonly string[];
  /** The last lines that the task logged. */
  readonly tail: readonly string[];
  /** Only with `bug`. */
  readonly stack: string | null;
  /** What the process ends with if this is the first failure. */
  readonly exitCode: number;
};

export type TaskStatus = "succeeded" | "failed" | "canceled" | "skipped";

export type TaskResult = {
  readonly id: string;
  readonly status: TaskStatus;
  /** Null unless it succeeded. */
  readonly output: Json;
  /** Milliseconds since the epoch; null when it was never started. */
  readonly startedAt: number | null;
  readonly ms: number | null;
};

/** How a run ended. A failed run is a value too. */
export type RunResult = {
  readonly outcome: Outcome;
  readonly exitCode: number;
  /** In the order of the plan. */
  readonly tasks: readonly TaskResult[];
  /** In the order in which they happened: the first decides the exit code. */
  readonly failures: readonly Failure[];
  /** What would not go, and why. */
  readonly leaked: readonly Leftover[];
  /** What stays because the user wanted to look at it. */
  readonly left: readonly Leftover[];
  readonly startedAt: number;
  readonly ms: number;
};
