import { isZero } from "./byte-reader.ts";
import type { Segment } from "./tar-reader.ts";

/** Who takes the blocks of an image. */
export type BlockSink = {
  /** Memory for one block, once there is room for another. */
  buffer(): Promise<Buffer>;
  /** Takes a block, and with it the memory, for as long as it wants. */
  put(index: number, bytes: Buffer): void;
};

/**
 * Cuts an image that comes in ascending segments into blocks of one size, counted from 0. A block that is zero all over
 * is left out; the last one is filled up with zeros.
 */
export class ImageBlocks {
  readonly #blockBytes: number;
  readonly #sink: BlockSink;
  #buffer: Buffer | undefined;
  #index = 0;
  /** Up to here the buffer holds the image; behind it, whatever was there before. */
  #filled = 0;

  constructor(blockBytes: number, sink: BlockSink) {
    this.#blockBytes = blockBytes;
    this.#sink = sink;
  }

  async add({ offset, bytes }: Segment): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const index = Math.floor((offset + done) / this.#blockBytes);
      if (index !== this.#index) this.#flush();
      this.#index = index;
      this.#buffer ??= await this.#sink.buffer();
      const at = offset + done - index * this.#blockBytes;
      const piece = bytes.subarray(done, done + this.#blockBytes - at);
      this.#buffer.fill(0, this.#filled, at).set(piece, at);
      this.#filled = at + piece.length;
      done += piece.length;
    }
  }

  /** The last block goes too. */
  end(): void {
    this.#flush();
  }

  #flush(): void {
    const buffer = this.#buffer?.fill(0, this.#filled);
    this.#filled = 0;
    if (!buffer || isZero(buffer)) return;
    this.#buffer = undefined;
    this.#sink.put(this.#index, buffer);
  }
}
