import colors from "picocolors";
import type { RunEvent } from "../run/event.ts";
import { toEnding } from "./ending.ts";
import { toClock, toDuration, toOneLine, toSafeLine, toSize } from "./format.ts";
import type { Output } from "./output.ts";
import type { Reporter } from "./reporter.ts";
import type { Result } from "./result.ts";

/** Progress is told again after this long, or this much further. */
const progressEveryMs = 5000;
const progressEvery = 0.1;

type Told = { readonly at: number; readonly doneBytes: number };

/** One line an event, `HH:MM:SS us-east-1/launch  message`: for logs. */
export class PlainReporter implements Reporter {
  readonly #out: Output;
  readonly #color: boolean;
  readonly #progress = new Map<string, Told>();
  /** The lines of a pause. */
  #held: string[] | undefined;

  constructor(out: Output, color: boolean) {
    this.#out = out;
    this.#color = color;
  }

  report(event: RunEvent): void {
    const said = this.#toWords(event);
    if (said === undefined) return;
    const { dim, bold } = colors.createColors(this.#color);
    const line = `${dim(toClock(event.at))} ${bold(said.who)}  ${said.what}`;
    if (this.#held) this.#held.push(line);
    else this.#out.line(line);
  }

  idle(): Promise<void> {
    return Promise.resolve();
  }

  pause(): Disposable {
    this.#held = [];
    return {
      [Symbol.dispose]: () => {
        for (const line of this.#held ?? []) this.#out.line(line);
        this.#held = undefined;
      },
    };
  }

  finish(result: Result): Promise<void> {
    for (const line of toEnding(result, this.#color)) this.#out.line(line);
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }

  #toWords(event: RunEvent): { who: string; what: string } | undefined {
    switch (event.type) {
      case "run.started":
        return { who: event.name, what: `run ${event.run}, ${toCount(event.tasks.length, "task")}` };
      case "run.cleaning":
        return { who: "clean", what: `giving back ${toCount(event.count, "thing")}` };
      case "run.finished":
        return { who: "run", what: `${event.outcome} after ${toDuration(event.ms)}` };
      case "resource.changed":
        return { who: event.task, what: toResourceWords(event) };
      case "task.started":
        return { who: event.task, what: "started" };
      case "task.log":
        return { who: event.task, what: `| ${toSafeLine(event.line)}` };
      case "task.progress":
        return this.#toProgressWords(event);
      case "task.succeeded":
        return {
          who: event.task,
          what: `done in ${toDuration(event.ms)}${event.summary ? `: ${event.summary}` : ""}`,
        };
      case "task.failed":
        return {
          who: event.task,
          what: `failed after ${toDuration(event.ms)}: ${toSafeLine(toOneLine(event.message))}`,
        };
      case "task.canceled":
        return { who: event.task, what: "canceled" };
      case "task.skipped":
        return { who: event.task, what: `skipped: ${event.reason}` };
      default:
        event satisfies never;
        return undefined;
    }
  }

  #toProgressWords(
    event: Extract<RunEvent, { type: "task.progress" }>,
  ): { who: string; what: string } | undefined {
    const { at, task, doneBytes, totalBytes } = event;
    const told = this.#progress.get(task);
    const step = (totalBytes ?? Number.POSITIVE_INFINITY) * progressEvery;
    const isOver = doneBytes === totalBytes;
    if (told && !isOver && at - told.at < progressEveryMs && doneBytes - told.doneBytes < step)
      return undefined;
    if (told?.doneBytes === doneBytes) return undefined;
    this.#progress.set(task, { at, doneBytes });
    if (totalBytes === null) return { who: task, what: toSize(doneBytes) };
    const percent = totalBytes === 0 ? 100 : Math.floor((doneBytes / totalBytes) * 100);
    return { who: task, what: `${percent} %  ${toSize(doneBytes)} of ${toSize(totalBytes)}` };
  }
}

/** A change of a resource in one line. */
export function toResourceWords(event: Extract<RunEvent, { type: "resource.changed" }>): string {
  switch (event.change) {
    case "acquired":
      return `+ ${event.name}`;
    case "released":
      return `- ${event.name}`;
    case "kept":
      return `= ${event.name}`;
    case "left":
      return `kept ${event.name}; by hand: ${event.byHand}`;
    case "leaked":
      return `could not remove ${event.name}: ${event.reason}; by hand: ${event.byHand}`;
  }
}

function toCount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
