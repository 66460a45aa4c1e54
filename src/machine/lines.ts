/** A longer line is cut into pieces, so that a program that never ends its line cannot fill the memory. */
const longestLine = 64 * 1024;

/**
 * Cuts chunks of UTF-8 into lines, as they come. A carriage return starts the line over, as on a terminal, so a
 * progress bar counts as one line in its last state.
 */
export class LineSplitter {
  readonly #decoder = new TextDecoder("utf-8");
  readonly #onLine: (line: string) => void;
  #rest = "";

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  push(chunk: Uint8Array): void {
    const lines = (this.#rest + this.#decoder.decode(chunk, { stream: true })).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#tell(line);
    this.#cut();
  }

  /** Tells what is left after the last line end, if anything. */
  end(): void {
    const rest = this.#rest + this.#decoder.decode();
    this.#rest = "";
    if (rest !== "") this.#tell(rest);
  }

  #tell(line: string): void {
    const shown = lastState(line);
    for (let start = 0; start === 0 || start < shown.length; start += longestLine) {
      this.#onLine(shown.slice(start, start + longestLine));
    }
  }

  #cut(): void {
    if (this.#rest.length <= longestLine) return;
    // A carriage return at the very end may be half of a line end, so it has to stay.
    const ending = this.#rest.endsWith("\r") ? "\r" : "";
    this.#rest = lastState(this.#rest) + ending;
    for (; this.#rest.length > longestLine; this.#rest = this.#rest.slice(longestLine)) {
      this.#onLine(this.#rest.slice(0, longestLine));
    }
  }
}

function lastState(line: string): string {
  const text = line.endsWith("\r") ? line.slice(0, -1) : line;
  return text.slice(text.lastIndexOf("\r") + 1);
}
