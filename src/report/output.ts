import type { Writable } from "node:stream";
import { Problem } from "../problem.ts";

/** stdout, or what stands in for it. */
export type OutputStream = Writable & {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
};

/** Told once when the reader of the output went away. */
export type Closed = (problem: Problem) => void;

/** Writes to a stream whose reader may go away at any time; what is written after that is lost, and no error. */
export class Output {
  readonly stream: OutputStream;
  readonly #onClosed: Closed;
  #closed = false;

  constructor(stream: OutputStream, onClosed: Closed) {
    this.stream = stream;
    this.#onClosed = onClosed;
    // Also after the last line: an EPIPE that nobody listens to would end the process.
    stream.on("error", (error: Error) => this.#close(error));
  }

  get columns(): number {
    return this.stream.columns ?? 80;
  }

  get rows(): number {
    return this.stream.rows ?? 24;
  }

  write(text: string): void {
    if (this.#closed) return;
    try {
      this.stream.write(text);
    } catch (error) {
      this.#close(error);
    }
  }

  line(text: string): void {
    this.write(`${text}\n`);
  }

  #close(cause: unknown): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#onClosed(new Problem("interrupted", "nobody reads the output any more", { cause }));
  }
}
