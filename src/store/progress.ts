/** Who hears of long work. `there` counts what needed no transfer. */
export type Listener = {
  /** Bytes of the bundle that are where they belong, of all of them. */
  onProgress?(doneBytes: number, totalBytes: number): void;
  /** One file or object is done. */
  onDone?(name: string, how: Outcome): void;
};

/** What became of one object: `there` was so before. */
export type Outcome = "put" | "got" | "copied" | "there";

/** How many were moved and how many were there, and the bytes done so far. */
export class Tally {
  readonly #listener: Listener;
  readonly #totalBytes: number;
  #doneBytes = 0;
  #moved = 0;
  #there = 0;

  constructor(listener: Listener, totalBytes: number) {
    this.#listener = listener;
    this.#totalBytes = totalBytes;
    listener.onProgress?.(0, totalBytes);
  }

  get moved(): number {
    return this.#moved;
  }

  get there(): number {
    return this.#there;
  }

  add(name: string, how: Outcome, sizeBytes: number): void {
    if (how === "there") this.#there += 1;
    else this.#moved += 1;
    this.#doneBytes += sizeBytes;
    this.#listener.onDone?.(name, how);
    this.#listener.onProgress?.(Math.min(this.#doneBytes, this.#totalBytes), this.#totalBytes);
  }
}
