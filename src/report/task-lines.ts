import type { RunEvent } from "../run/event.ts";
import { toBar, toDuration, toFit, toSafeLine, toSize } from "./format.ts";
import { toResourceWords } from "./plain.ts";
import { type RunView, rateOf, type TaskState, type TaskView } from "./view.ts";

/** A task's line: its title, how long it took or takes, what became of it. In at most so many columns. */
export function toTitle(task: TaskView, now: number, columns: number): string {
  const { title, state, ms, note } = task;
  const time = state === "running" ? now - task.startedAt : ms;
  const tail = time === null || (state === "running" && time < 1000) ? "" : `  ${toDuration(time)}`;
  const head = `${toFit(title, Math.max(10, columns - tail.length))}${tail}`;
  const room = columns - head.length - 2;
  return note === null || room < 10 ? head : `${head}  ${toFit(note, room)}`;
}

/** What stands under a running task: how far it is, and the last lines of its log. */
export function toDetails(task: TaskView, columns: number, mostLines: number): readonly string[] {
  const progress = task.doneBytes === null ? [] : [toProgress(task, task.doneBytes, columns)];
  const lines = mostLines < 1 ? [] : task.lines.slice(-mostLines);
  return [...progress, ...lines].map((line) => toFit(line, columns));
}

/** `█████░░░░░  45 %  1.2 GiB of 2.6 GiB  82 MiB/s  4s left`, and less of it where the terminal is narrow. */
function toProgress(task: TaskView, doneBytes: number, columns: number): string {
  const { totalBytes } = task;
  const rate = rateOf(task);
  const speed = rate === undefined ? [] : [`${toSize(rate)}/s`];
  if (totalBytes === null) return toFitting([toSize(doneBytes), ...speed], columns);
  const fraction = totalBytes === 0 ? 1 : doneBytes / totalBytes;
  const left = rate ? [`${toDuration(((totalBytes - doneBytes) / rate) * 1000)} left`] : [];
  const bar = toBar(fraction, columns >= 70 ? 30 : columns >= 44 ? 12 : 6);
  const percent = `${String(Math.floor(fraction * 100)).padStart(3)} %`;
  return toFitting(
    [bar, percent, `${toSize(doneBytes)} of ${toSize(totalBytes)}`, ...speed, ...left],
    columns,
  );
}

/** Those of the words for which there is room, the first ones first. */
function toFitting(words: readonly string[], columns: number): string {
  return words.reduce((line, word) => {
    const longer = line === "" ? word : `${line}  ${word}`;
    return longer.length <= columns ? longer : line;
  }, "");
}

/** How many lines of log each running task may show, so that the tree still fits the terminal. */
export function detailLines(view: RunView, rows: number): number {
  const running = view.all.filter(({ state }) => state === "running").length;
  const room = rows - view.all.length - view.groups.size - 2;
  return Math.max(0, Math.min(4, Math.floor(room / Math.max(1, running)) - 1));
}

/** What can be seen of giving things back. */
export class CleaningView {
  readonly startedAt: number;
  readonly count: number;
  readonly lines: string[] = [];
  state: TaskState = "running";
  released = 0;
  leaked = 0;
  endedAt: number | null = null;

  constructor(startedAt: number, count: number) {
    this.startedAt = startedAt;
    this.count = count;
  }

  take(event: RunEvent): void {
    if (event.type === "resource.changed") {
      if (event.change === "released") this.released += 1;
      if (event.change === "leaked") this.leaked += 1;
      this.lines.push(toSafeLine(toResourceWords(event)));
    }
    if (event.type !== "run.finished") return;
    this.endedAt = event.at;
    this.state = this.leaked > 0 ? "failed" : "succeeded";
  }
}

export function toCleaningTitle({ released, count, startedAt, endedAt }: CleaningView, now: number): string {
  return `Clean up  ${released} of ${count} given back  ${toDuration((endedAt ?? now) - startedAt)}`;
}
