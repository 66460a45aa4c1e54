import type { Cloud } from "../aws/cloud.ts";
import type { Scope } from "../journal/scope.ts";
import type { Json } from "../util/json.ts";

/** What a task does. Input and output are plain data: no live handle and no secret crosses an edge of the graph. */
export type Stage<I, O extends Json> = {
  /** `section.method`, such as `bundle.native`; part of the digest of its tasks. */
  readonly kind: string;
  /** What people read in the task tree. */
  readonly title: string;
  /** The exit code when a task of this stage fails and the problem itself names none. */
  readonly exitCode: 4 | 5 | 6 | 7;
  /** The keys of its input that decide what comes after it, and so are in its digest; absent: all. */
  readonly decides?: readonly (keyof I & string)[];
  run(input: I, context: StageContext): Promise<O>;
  /** The outcome in a few words, shown behind the title: `ami-0123`. */
  summarize?(output: O): string;
};

export type StageContext = {
  readonly signal: AbortSignal;
  readonly cloud: Cloud;
  readonly scope: Scope;
  readonly run: RunFacts;
  /** The id of the task that is running, such as `us-east-1/launch`. */
  readonly task: string;
  /** Absent: there is nobody to ask. */
  readonly ask?: Ask | undefined;
  /** A line for people: what the stage does, or what a script printed. */
  log(line: string): void;
  /** Bytes done, and of how many if that is known. */
  progress(doneBytes: number, totalBytes?: number): void;
  /** The value that a `SecretRef` stands for. It is masked wherever the run speaks. */
  secret(ref: { readonly $secret: string }): string;
  /** From now on this value is masked wherever the run speaks. */
  hide(value: string): void;
  /** The text as the run may speak it: what a stage writes into a file that people read goes through this. */
  masked(text: string): string;
};

/** Something to be asked at the terminal. */
type Question = {
  /** Told before it. */
  readonly lines: readonly string[];
  readonly text: string;
  /** Anything else is asked again. */
  accepts(answer: string): boolean;
};

/** Asks whoever sits at the terminal, one question at a time. Rejects with the signal's reason. */
export type Ask = (question: Question, signal: AbortSignal) => Promise<string>;

export type RunFacts = {
  /** Unique and sortable, such as `20261122-213330-k3v9`; every created thing is tagged `imgspec:run=<id>`. */
  readonly id: string;
  /** Absolute path, mode 0700: keys, spooled parts, logs. */
  readonly directory: string;
};
