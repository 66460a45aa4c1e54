import type { RunEvent } from "../run/event.ts";
import type { Output } from "./output.ts";
import type { Reporter } from "./reporter.ts";

/** The events themselves, one JSON object a line, as schemas/event.v1.schema.json promises. */
export class NdjsonReporter implements Reporter {
  readonly #out: Output;

  constructor(out: Output) {
    this.#out = out;
  }

  report(event: RunEvent): void {
    this.#out.line(JSON.stringify(event));
  }

  idle(): Promise<void> {
    return Promise.resolve();
  }

  /** What it tells is no picture that a question would tear. */
  pause(): Disposable {
    return { [Symbol.dispose]: () => undefined };
  }

  finish(): Promise<void> {
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}
