import type { Cloud } from "../aws/cloud.ts";
import type { Journal } from "../journal/journal.ts";
import { RunScope } from "../journal/new-scope.ts";
import type { Leftover } from "../journal/resource-change.ts";
import type { Plan } from "../plan/plan.ts";
import { exitCodeOf, Problem } from "../problem.ts";
import type { Ask, RunFacts, Stage } from "../stage/stage.ts";
import type { Json } from "../util/json.ts";
import { groupOf } from "../util/task-id.ts";
import type { Outcome, RunEvent } from "./event.ts";
import { Mask } from "./mask.ts";
import type { RunResult } from "./result.ts";
import { TaskRunner } from "./task-runner.ts";
import { Voice } from "./voice.ts";

/** A stage whose types are forgotten, so that all kinds fit one table. */
export type AnyStage = Stage<never, Json>;

export type OnFailure = "clean" | "keep" | (() => Promise<"clean" | "keep">);

export type RunOptions = {
  /** The spec's path as the user named it, for the journal; the plan's name when absent. */
  readonly spec?: string;
  /** By `Stage.kind`. */
  readonly stages: ReadonlyMap<string, AnyStage>;
  readonly cloud: Cloud;
  readonly journal: Journal;
  readonly run: RunFacts;
  /** Stops the run; cleaning up follows. Its reason is a Problem. */
  readonly signal: AbortSignal;
  /** Stops the cleaning up too. */
  readonly abandon: AbortSignal;
  /** What becomes of the resources of a region that failed. A function is asked once, and not after an interrupt. */
  readonly onFailure: OnFailure;
  /** By the name in a `SecretRef`. */
  readonly secrets: ReadonlyMap<string, string>;
  /** Tasks at work at once. */
  readonly concurrency?: number;
  readonly releaseDeadlineMs?: number;
  /** Absent: there is nobody to ask. */
  readonly ask?: Ask | undefined;
  onEvent(event: RunEvent): void;
};

/** How long the end of an abandoned run may wait for the answer to a creating call. */
const pendingDeadlineMs = 20_000;

/**
 * Carries out a plan: each task as soon as what it needs is there, and at the end everything is given back. A failing
 * task stops its own group; the other groups go on. A failure is a result; what is thrown is a bug, or a Problem of
 * the journal before anything was begun.
 */
export async function run(plan: Plan, options: RunOptions): Promise<RunResult> {
  const startedAt = Date.now();
  const since = performance.now();
  const { journal, signal } = options;
  const mask = new Mask(options.secrets.values());
  const voice = new Voice(options.onEvent, mask);
  const scope = new RunScope({
    ...options,
    onChange: (change) => voice.tell({ type: "resource.changed", ...change }),
    log: (task, line) => voice.tell({ type: "task.log", task, line }),
  });
  const runner = new TaskRunner(plan, { ...options, scope, mask, voice });

  await journalStart(plan, options);
  const facts = plan.tasks.map(({ id, group, title, needs }) => ({ id, group, title, needs }));
  voice.tell({ type: "run.started", schema: 1, run: options.run.id, name: plan.name, tasks: facts });

  // A region that failed does not pay for its instance until the slowest of the others is done.
  const giveBack = (group: string): Promise<void> =>
    options.onFailure === "clean" ? scope.releaseGroup(group) : Promise.resolve();
  const tasks = await runner.runAll(giveBack);
  await scope.settled(pendingDeadlineMs);
  const interrupted = signal.aborted && tasks.some(({ status }) => status !== "succeeded");
  const outcome = interrupted ? "interrupted" : runner.failures.length > 0 ? "failed" : "succeeded";
  const left = await leave(outcome, runner.brokenGroups(), scope, options);
  if (scope.count > 0) voice.tell({ type: "run.cleaning", count: scope.count });
  await scope[Symbol.asyncDispose]();

  // What matters is done; a run that cannot say that it is over is only looked at once more by `clean`.
  await journal.append({ type: "finished", outcome, at: new Date().toISOString() }).catch(() => undefined);
  const ms = Math.round(performance.now() - since);
  voice.tell({ type: "run.finished", outcome, ms });
  const exitCode = toExitCode(outcome, runner, scope, signal);
  const hide = (leftover: Leftover): Leftover => toMasked(leftover, mask);
  return {
    outcome,
    exitCode,
    tasks,
    failures: runner.failures,
    leaked: scope.leaked.map(hide),
    left: left.map(hide),
    startedAt,
    ms,
  };
}

async function journalStart(
  plan: Plan,
  { journal, run: { id }, spec = plan.name, cloud }: RunOptions,
): Promise<void> {
  if (journal.entries.some(({ type }) => type === "started")) return;
  const endpointUrl = cloud.options.endpointUrl ?? null;
  const at = new Date().toISOString();
  await journal.append({ type: "started", version: 1, run: id, spec, at, endpointUrl });
}

async function leave(
  outcome: Outcome,
  brokenGroups: ReadonlySet<string>,
  scope: RunScope,
  { onFailure }: RunOptions,
): Promise<readonly Leftover[]> {
  const isBroken = (task: string): boolean => brokenGroups.has(groupOf(task));
  if (outcome === "succeeded" || !scope.holdsAny(isBroken)) return [];
  // Whoever presses Ctrl-C wants an end, not a question.
  const asked = typeof onFailure === "function" && outcome === "failed" ? await ask(onFailure) : onFailure;
  return asked === "keep" ? scope.leave(isBroken) : [];
}

/** No answer, say from a terminal that is gone, is no wish to keep anything. */
async function ask(question: () => Promise<"clean" | "keep">): Promise<"clean" | "keep"> {
  try {
    return await question();
  } catch {
    return "clean";
  }
}

function toExitCode(outcome: Outcome, runner: TaskRunner, scope: RunScope, signal: AbortSignal): number {
  switch (outcome) {
    case "interrupted":
      return signal.reason instanceof Problem ? (exitCodeOf(signal.reason.code) ?? 130) : 130;
    case "failed":
      return runner.failures[0]?.exitCode ?? 1;
    case "succeeded":
      return scope.leaked.length > 0 ? (exitCodeOf("cleanup-incomplete") ?? 8) : 0;
  }
}

function toMasked(leftover: Leftover, mask: Mask): Leftover {
  const { name, reason, byHand } = leftover;
  return {
    ...leftover,
    name: mask.text(name),
    reason: reason === null ? null : mask.text(reason),
    byHand: mask.text(byHand),
  };
}
