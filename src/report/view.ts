import type { RunEvent, TaskFacts } from "../run/event.ts";
import { toOneLine, toSafeLine } from "./format.ts";
import { toResourceWords } from "./plain.ts";

export type TaskState = "waiting" | "running" | "succeeded" | "failed" | "canceled" | "skipped";

/** What can be seen of one task now. */
export type TaskView = {
  readonly id: string;
  readonly title: string;
  state: TaskState;
  startedAt: number;
  ms: number | null;
  /** What became of it, in a few words. */
  note: string | null;
  doneBytes: number | null;
  totalBytes: number | null;
  /** The newest last. */
  readonly lines: string[];
  /** Points in time of the last seconds, to tell the rate by. */
  readonly pace: { at: number; doneBytes: number }[];
};

/** More lines than this are never shown. */
const mostLines = 6;
/** The rate is that of so many milliseconds. */
const paceWindowMs = 8000;

/** A run as it can be seen now, folded from its events. */
export class RunView {
  readonly #tasks: ReadonlyMap<string, TaskView>;
  readonly groups: ReadonlyMap<string, readonly TaskView[]>;

  constructor(facts: readonly TaskFacts[]) {
    const tasks = facts.map((fact) => ({ group: fact.group, view: toWaiting(fact) }));
    this.#tasks = new Map(tasks.map(({ view }) => [view.id, view]));
    const names = [...new Set(facts.map(({ group }) => group))];
    this.groups = new Map(
      names.map((name) => [name, tasks.filter(({ group }) => group === name).map(({ view }) => view)]),
    );
  }

  get all(): readonly TaskView[] {
    return [...this.#tasks.values()];
  }

  /** Takes an event in; answers with the task that it is about, if that is part of this run. */
  take(event: RunEvent): TaskView | undefined {
    if (!("task" in event)) return undefined;
    const task = this.#tasks.get(event.task);
    if (task) change(task, event);
    return task;
  }
}

/** Bytes a second over the last seconds; undefined as long as there is nothing to tell it by. */
export function rateOf({ pace }: TaskView): number | undefined {
  const first = pace[0];
  const last = pace.at(-1);
  if (!first || !last || last.at - first.at < 500) return undefined;
  return ((last.doneBytes - first.doneBytes) * 1000) / (last.at - first.at);
}

function toWaiting({ id, title }: TaskFacts): TaskView {
  const nothing = { startedAt: 0, ms: null, note: null, doneBytes: null, totalBytes: null };
  return { id, title, state: "waiting", ...nothing, lines: [], pace: [] };
}

function change(task: TaskView, event: Extract<RunEvent, { readonly task: string }>): void {
  switch (event.type) {
    case "task.started":
      task.state = "running";
      task.startedAt = event.at;
      return;
    case "task.progress":
      takeProgress(task, event);
      return;
    case "task.log":
      takeLine(task, toSafeLine(event.line));
      return;
    case "resource.changed":
      takeLine(task, toResourceWords(event));
      return;
    case "task.succeeded":
      Object.assign(task, { state: "succeeded", ms: event.ms, note: event.summary });
      return;
    case "task.failed":
      Object.assign(task, { state: "failed", ms: event.ms, note: toSafeLine(toOneLine(event.message)) });
      return;
    case "task.canceled":
      Object.assign(task, { state: "canceled", ms: event.at - task.startedAt, note: "canceled" });
      return;
    case "task.skipped":
      Object.assign(task, { state: "skipped", note: event.reason });
      return;
    default:
      event satisfies never;
  }
}

function takeLine(task: TaskView, line: string): void {
  if (line.trim() === "") return;
  task.lines.push(line);
  if (task.lines.length > mostLines) task.lines.shift();
}

function takeProgress(task: TaskView, event: Extract<RunEvent, { type: "task.progress" }>): void {
  const { at, doneBytes, totalBytes } = event;
  // A count that goes back begins anew: a retry, or the next transfer of the same task.
  if (task.doneBytes !== null && doneBytes < task.doneBytes) task.pace.length = 0;
  task.doneBytes = doneBytes;
  task.totalBytes = totalBytes;
  task.pace.push({ at, doneBytes });
  while ((task.pace[0]?.at ?? at) < at - paceWindowMs) task.pace.shift();
}
