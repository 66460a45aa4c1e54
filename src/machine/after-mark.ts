/**
 * Drops everything up to a line that starts with the mark, since the shell of a user may greet before it runs what it
 * was told to; tells the words of that line, and what comes after it.
 */
export class AfterMark {
  readonly #mark: Buffer;
  readonly #onBytes: (bytes: Uint8Array) => void;
  #before: Buffer = Buffer.from("\n");
  #words: readonly string[] | undefined;

  constructor(mark: string, onBytes: (bytes: Uint8Array) => void) {
    this.#mark = Buffer.from(`\n${mark} `);
    this.#onBytes = onBytes;
  }

  /** What stood behind the mark; undefined: it has not been seen. */
  get words(): readonly string[] | undefined {
    return this.#words;
  }

  push(chunk: Uint8Array): void {
    if (this.#words !== undefined) {
      this.#onBytes(chunk);
      return;
    }
    this.#before = Buffer.concat([this.#before, chunk]);
    const start = this.#before.indexOf(this.#mark);
    const end = start < 0 ? -1 : this.#before.indexOf("\n", start + 1);
    if (end < 0) return;
    const line = this.#before.subarray(start + this.#mark.length, end);
    this.#words = line.toString().trim().split(" ");
    const bytes = this.#before.subarray(end + 1);
    if (bytes.length > 0) this.#onBytes(bytes);
  }
}
