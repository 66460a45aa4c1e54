import { toTrouble } from "./ending.ts";
import type { Output } from "./output.ts";
import type { Reporter } from "./reporter.ts";
import type { Result } from "./result.ts";

/** The ids of the images, one a line as `region ami-…`, and whatever went wrong. */
export class QuietReporter implements Reporter {
  readonly #out: Output;
  readonly #color: boolean;

  constructor(out: Output, color: boolean) {
    this.#out = out;
    this.#color = color;
  }

  report(): void {
    // Everything that is shown stands in the result.
  }

  idle(): Promise<void> {
    return Promise.resolve();
  }

  /** What it tells is no picture that a question would tear. */
  pause(): Disposable {
    return { [Symbol.dispose]: () => undefined };
  }

  finish(result: Result): Promise<void> {
    for (const { region, imageId } of result.images) {
      if (imageId !== null) this.#out.line(`${region} ${imageId}`);
    }
    for (const line of toTrouble(result, this.#color)) this.#out.line(line);
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}
