import { ProcessOutput } from "listr2";
import type { Output } from "./output.ts";

export const hideCursor = "\u001b[?25l";
export const showCursor = "\u001b[?25h";

/** Our stream for listr2: its size is asked anew for every drawing, and nobody else's writes are held back. */
export class Screen extends ProcessOutput {
  readonly #out: Output;

  constructor(out: Output) {
    super(out.stream as NodeJS.WriteStream, out.stream as NodeJS.WriteStream);
    this.#out = out;
  }

  override get stdout(): NodeJS.WriteStream {
    const out = this.#out;
    const live = {
      get columns() {
        return out.columns;
      },
      get rows() {
        return out.rows;
      },
      write: (text: string) => out.write(text),
    };
    // The three that log-update asks for.
    return live as unknown as NodeJS.WriteStream;
  }

  override hijack(): void {
    this.#out.write(hideCursor);
  }

  override release(): void {
    this.#out.write(showCursor);
  }

  override toStdout(text: string): boolean {
    this.#out.line(text);
    return true;
  }
}
