import type { Block } from "./deflate-threads.ts";
import { DigestThread } from "./digest-thread.ts";
import type { Extent } from "./tar-header.ts";

/** The SHA-256 of a whole image of which only the extents pass by, in blocks of this memory. */
export class ImageDigest implements AsyncDisposable {
  readonly #thread: DigestThread;
  readonly #holes: Iterator<Hole, undefined>;
  #next: Hole | undefined;
  #storedBytes = 0;

  constructor(memory: SharedArrayBuffer, extents: readonly Extent[], sizeBytes: number) {
    this.#thread = new DigestThread("sha256", memory);
    this.#holes = toHoles(extents, sizeBytes);
    this.#next = this.#holes.next().value;
  }

  /** Takes the next bytes of the extents; resolves when they have been read. */
  async update(block: Block): Promise<void> {
    const read: Promise<void>[] = [];
    for (let at = 0; at < block.length; ) {
      read.push(...this.#fillHoles());
      const end = Math.min(block.length, at + (this.#next?.storedAt ?? Infinity) - this.#storedBytes);
      const bytes = block.subarray(at, end);
      read.push(this.#thread.update(bytes));
      this.#storedBytes += bytes.length;
      at = end;
    }
    await Promise.all(read);
  }

  async hex(): Promise<string> {
    await Promise.all(this.#fillHoles());
    return this.#thread.hex();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#thread[Symbol.asyncDispose]();
  }

  #fillHoles(): Promise<void>[] {
    const filled: Promise<void>[] = [];
    while (this.#next && this.#next.storedAt <= this.#storedBytes) {
      filled.push(this.#thread.updateZeros(this.#next.sizeBytes));
      this.#next = this.#holes.next().value;
    }
    return filled;
  }
}

/** A hole, and how many stored bytes stand before it. */
type Hole = { readonly storedAt: number; readonly sizeBytes: number };

function* toHoles(extents: readonly Extent[], sizeBytes: number): Generator<Hole, undefined> {
  let end = 0;
  let storedAt = 0;
  for (const extent of [...extents, { offset: sizeBytes, sizeBytes: 0 }]) {
    if (extent.offset > end) yield { storedAt, sizeBytes: extent.offset - end };
    storedAt += extent.sizeBytes;
    end = extent.offset + extent.sizeBytes;
  }
  return undefined;
}
