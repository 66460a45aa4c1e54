import { toBar, toDuration, toFit, toSize } from "./format.ts";
import type { Output } from "./output.ts";

/** Work that is over before this is not worth a line. */
const silentMs = 1000;

/** How often the line of a terminal is drawn again, and how often a log gets another. */
const terminalEveryMs = 100;
const logEveryMs = 5000;

const barColumns = 10;

export type MeterOptions = {
  readonly out: Output;
  /** What is being done, such as `bundling web.img`. */
  readonly what: string;
  readonly totalBytes: number;
  /** Whether a line can be drawn again. */
  readonly isTerminal: boolean;
  /** The clock, ms. */
  readonly now: () => number;
};

/** Tells how far one long work has come: bytes, rate, time left. Disposing of it clears the line that it drew. */
export class Meter implements Disposable {
  readonly #options: MeterOptions;
  readonly #startedAt: number;
  #toldAt: number;
  #toldBytes = 0;
  /** Bytes in a ms, the last seconds weighing most: holes of an image go by much faster than its data. */
  #rate = 0;
  #isDrawn = false;

  constructor(options: MeterOptions) {
    this.#options = options;
    this.#startedAt = options.now();
    this.#toldAt = this.#startedAt;
  }

  update(doneBytes: number): void {
    const { now, isTerminal, out } = this.#options;
    const at = now();
    const sinceMs = at - this.#toldAt;
    const isFirst = this.#rate === 0;
    const everyMs = isTerminal ? terminalEveryMs : logEveryMs;
    if (at - this.#startedAt < silentMs || sinceMs < (isFirst ? silentMs : everyMs)) return;
    this.#measure(doneBytes, sinceMs);
    this.#toldAt = at;
    this.#toldBytes = doneBytes;
    if (isTerminal) {
      this.#isDrawn = true;
      // A terminal that tells no width says 0.
      const columns = (out.columns || 80) - 1;
      out.write(`\r\x1b[2K${toFit(this.#toLine(doneBytes), columns)}`);
    } else out.line(this.#toLine(doneBytes));
  }

  [Symbol.dispose](): void {
    if (!this.#isDrawn) return;
    this.#isDrawn = false;
    this.#options.out.write("\r\x1b[2K");
  }

  #measure(doneBytes: number, sinceMs: number): void {
    // Work that began anew has gone nowhere yet.
    const rate = Math.max(0, doneBytes - this.#toldBytes) / sinceMs;
    const weight = this.#rate === 0 ? 1 : Math.min(1, sinceMs / 3000);
    this.#rate += weight * (rate - this.#rate);
  }

  #toLine(doneBytes: number): string {
    const { what, totalBytes, isTerminal } = this.#options;
    const fraction = totalBytes === 0 ? 1 : Math.min(1, doneBytes / totalBytes);
    const leftMs = this.#rate > 0 ? Math.max(0, totalBytes - doneBytes) / this.#rate : undefined;
    return [
      `${what} `,
      ...(isTerminal ? [`${toBar(fraction, barColumns)} `] : []),
      `${Math.floor(fraction * 100)} %`,
      `, ${toSize(doneBytes)} of ${toSize(totalBytes)}`,
      `, ${toSize(this.#rate * 1000)}/s`,
      ...(leftMs === undefined ? [] : [`, ${toDuration(leftMs)} left`]),
    ].join("");
  }
}
