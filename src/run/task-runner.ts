import pLimit, { type LimitFunction } from "p-limit";
import type { RunScope } from "../journal/new-scope.ts";
import { isRef, type Plan, type Task } from "../plan/plan.ts";
import type { StageContext } from "../stage/stage.ts";
import { abortable } from "../util/abortable.ts";
import type { Json } from "../util/json.ts";
import { groupOf } from "../util/task-id.ts";
import { toFailure } from "./failure.ts";
import type { Mask } from "./mask.ts";
import type { Failure, TaskResult } from "./result.ts";
import type { AnyStage, RunOptions } from "./run.ts";
import { TaskVoice, type Voice } from "./voice.ts";

type Options = RunOptions & { readonly scope: RunScope; readonly mask: Mask; readonly voice: Voice };

type Ready = { readonly task: Task; readonly stage: AnyStage };

/** Bundling is bound by the processor, waiting for EC2 is not; this many regions go side by side. */
const defaultConcurrency = 8;

/** Runs every task of one plan, each once what it needs is there. */
export class TaskRunner {
  readonly #ready: readonly Ready[];
  readonly #options: Options;
  readonly #limit: LimitFunction;
  readonly #results = new Map<string, Promise<TaskResult>>();
  /** Aborted by the first task of a group that fails. */
  readonly #groups: ReadonlyMap<string, AbortController>;
  /** The tasks that are the reason why others were not run, by group. */
  readonly #culprits = new Map<string, string>();
  /** Why a task was skipped. */
  readonly #reasons = new Map<string, string>();
  readonly #failures: Failure[] = [];
  readonly #broken = new Set<string>();

  constructor(plan: Plan, options: Options) {
    this.#ready = toReady(plan, options.stages);
    this.#options = options;
    this.#limit = pLimit(options.concurrency ?? defaultConcurrency);
    this.#groups = new Map(plan.tasks.map(({ group }) => [group, new AbortController()]));
  }

  get failures(): readonly Failure[] {
    return this.#failures;
  }

  /** The groups in which not every task succeeded. */
  brokenGroups(): ReadonlySet<string> {
    return this.#broken;
  }

  /** `onBroken` hears of a group in which something failed once its tasks are settled and others are still at work. */
  async runAll(onBroken: (group: string) => Promise<void>): Promise<readonly TaskResult[]> {
    for (const { task, stage } of this.#ready) this.#results.set(task.id, this.#settle(task, stage));
    let atWork = this.#groups.size;
    const groups = [...this.#groups.keys()].map(async (group) => {
      await Promise.all([...this.#results].flatMap(([id, result]) => (groupOf(id) === group ? result : [])));
      atWork -= 1;
      if (atWork > 0 && this.#broken.has(group)) await onBroken(group);
    });
    await Promise.all(groups);
    return Promise.all(this.#results.values());
  }

  async #settle(task: Task, stage: AnyStage): Promise<TaskResult> {
    const results = await Promise.all(task.needs.flatMap((id) => this.#results.get(id) ?? []));
    const broken = results.find(({ status }) => status !== "succeeded");
    if (broken) return this.#skip(task, this.#reasonOf(broken));
    const outputs = new Map(results.map(({ id, output }) => [id, output]));
    return this.#limit(() => this.#start(task, stage, outputs));
  }

  async #start(task: Task, stage: AnyStage, outputs: ReadonlyMap<string, Json>): Promise<TaskResult> {
    const { signal: runSignal, voice, abandon, journal, mask } = this.#options;
    const group = this.#groups.get(task.group);
    if (runSignal.aborted) return this.#skip(task, "the run was stopped");
    if (group?.signal.aborted) return this.#skip(task, `${this.#culprits.get(task.group)} failed`);
    const signal = AbortSignal.any([runSignal, ...(group ? [group.signal] : [])]);
    const speech = new TaskVoice(voice, task.id);
    const startedAt = Date.now();
    const since = performance.now();
    const elapsed = (): number => Math.round(performance.now() - since);
    voice.tell({ type: "task.started", task: task.id });
    try {
      // The input was checked against the stage's type by PlanBuilder.add; here the type is forgotten.
      const input = settleInput(task.input, outputs) as never;
      // So that a second Ctrl-C is heeded even when a stage is deaf to the first.
      const output = await abortable(stage.run(input, this.#contextOf(task, signal, speech)), abandon);
      const summary = stage.summarize?.(output as never) ?? null;
      const noted = mask.json(output);
      await journal.append({ type: "succeeded", task: task.id, digest: task.digest, output: noted });
      speech.flush();
      voice.tell({ type: "task.succeeded", task: task.id, ms: elapsed(), summary });
      return { id: task.id, status: "succeeded", output, startedAt, ms: elapsed() };
    } catch (error) {
      speech.flush();
      const ended = { id: task.id, output: null, startedAt, ms: elapsed() };
      this.#broken.add(task.group);
      if (signal.aborted) {
        voice.tell({ type: "task.canceled", task: task.id });
        return { ...ended, status: "canceled" };
      }
      this.#fail(task, stage, error, { tail: speech.tail, ms: elapsed() });
      return { ...ended, status: "failed" };
    }
  }

  #fail(task: Task, stage: AnyStage, error: unknown, about: { tail: readonly string[]; ms: number }): void {
    const { mask, voice } = this.#options;
    const failure = toFailure(task.id, error, { mask, tail: about.tail, stageExitCode: stage.exitCode });
    this.#failures.push(failure);
    const { code, message, hint, causes, tail } = failure;
    voice.tell({ type: "task.failed", task: task.id, ms: about.ms, code, message, hint, causes, tail });
    this.#culprits.set(task.group, task.id);
    this.#groups.get(task.group)?.abort(error);
  }

  /** What people are told when a task is not run: the one failure that began it, not the last link of the chain. */
  #reasonOf({ id, status }: TaskResult): string {
    if (status === "failed") return `${id} failed`;
    if (this.#options.signal.aborted) return "the run was stopped";
    return this.#reasons.get(id) ?? `${this.#culprits.get(groupOf(id))} failed`;
  }

  #skip(task: Task, reason: string): TaskResult {
    this.#broken.add(task.group);
    this.#reasons.set(task.id, reason);
    this.#options.voice.tell({ type: "task.skipped", task: task.id, reason });
    return { id: task.id, status: "skipped", output: null, startedAt: null, ms: null };
  }

  #contextOf(task: Task, signal: AbortSignal, speech: TaskVoice): StageContext {
    const { cloud, scope, run, secrets, ask, mask } = this.#options;
    return {
      signal,
      cloud,
      run,
      task: task.id,
      ask:
        ask &&
        ((question, signal) =>
          ask({ ...question, lines: question.lines.map((line) => mask.text(line)) }, signal)),
      scope: scope.forTask(task.id, signal),
      log: (line) => speech.log(line),
      progress: (doneBytes, totalBytes) => speech.progress(doneBytes, totalBytes),
      hide: (value) => mask.add(value),
      masked: (text) => mask.text(text),
      secret: ({ $secret }) => {
        const value = secrets.get($secret);
        if (value === undefined) throw new Error(`the spec knows no secret ${$secret}`);
        return value;
      },
    };
  }
}

/** The input with each ref replaced by the output that it stands for. */
function settleInput(input: Task["input"], outputs: ReadonlyMap<string, Json>): Task["input"] {
  return Object.fromEntries(
    Object.entries(input).map(([key, value]) => [
      key,
      isRef(value) ? (outputs.get(value.$ref) ?? null) : value,
    ]),
  );
}

/** Looked up before anything starts: a plan that cannot be run must not be noticed half way. */
function toReady(plan: Plan, stages: RunOptions["stages"]): readonly Ready[] {
  const before = new Set<string>();
  return plan.tasks.map((task) => {
    const missing = task.needs.find((need) => !before.has(need));
    if (missing !== undefined) throw new Error(`${task.id} needs ${missing}, which does not come before it`);
    before.add(task.id);
    const stage = stages.get(task.stage);
    if (!stage) throw new Error(`task ${task.id} is of a stage that nobody knows: ${task.stage}`);
    return { task, stage };
  });
}
