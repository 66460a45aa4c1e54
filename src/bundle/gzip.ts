import { isZero } from "./byte-reader.ts";
import { joinCrc32 } from "./crc32-join.ts";
import {
  type Block,
  blockBytes,
  type Deflated,
  type DeflateOptions,
  DeflateThreads,
} from "./deflate-threads.ts";
import { inOrder } from "./ordered.ts";

/** How far back deflate looks. */
const windowBytes = 32 * 1024;

/** What `gzip -9` writes into a pipe: no name, no time, Unix. */
const header = Buffer.from("1f8b0800000000000203", "hex");

/** An empty last block of deflate: what came before ended in flushes. */
const lastBlock = Buffer.from("0300", "hex");

/** How to compress. */
export type GzipOptions<T> = DeflateOptions & {
  /** Sees each block in its turn; the block's memory is in use until this resolves, too. */
  seeing(block: T): Promise<unknown>;
};

/**
 * One gzip member, its blocks deflated side by side. Each block takes the end of the one before as its dictionary. The
 * pace is the reader's; a chunk is valid until the next is asked for. A block's memory is free again when one more block
 * than are in flight has been asked for after it.
 */
export async function* gzip<T extends { readonly bytes: Block }>(
  blocks: AsyncIterable<T>,
  options: GzipOptions<T>,
): AsyncGenerator<Uint8Array, void, undefined> {
  await using threads = new DeflateThreads(options);
  const deflater = new Deflater(threads, options.memory);
  let crc = 0;
  let sizeBytes = 0;
  yield header;
  const pieces = inOrder(blocks, options.inFlight, async (block) => {
    const [deflated] = await Promise.all([deflater.deflate(block.bytes), options.seeing(block)]);
    return { ...deflated, sizeBytes: block.bytes.length };
  });
  for await (const piece of pieces) {
    crc = joinCrc32(crc, piece.crc, piece.sizeBytes);
    sizeBytes += piece.sizeBytes;
    yield piece.bytes;
  }
  yield lastBlock;
  yield toTrailer(crc, sizeBytes);
}

type Last = {
  readonly block: Block;
  readonly before: Block;
  readonly deflated: Promise<Deflated>;
  /** Whether it is valid for good. */
  readonly isKept: boolean;
};

/** Deflates blocks in their order, and the same block over and over only once. */
class Deflater {
  readonly #threads: DeflateThreads;
  readonly #nothing: Block;
  #before: Block;
  #zeroBlock: Promise<Deflated> | undefined;
  /** The block right before, if it is not zero; the memory of any older one may hold another by now. */
  #last: Last | undefined;

  constructor(threads: DeflateThreads, memory: SharedArrayBuffer) {
    this.#threads = threads;
    this.#nothing = Buffer.from(memory, 0, 0);
    this.#before = this.#nothing;
  }

  deflate(block: Block): Promise<Deflated> {
    const before = this.#before;
    this.#before = block.subarray(-windowBytes);
    if (block.length === blockBytes && isZero(block)) {
      this.#last = undefined;
      // Without a dictionary it fits behind anything.
      this.#zeroBlock ??= keep(this.#threads.deflate(block, this.#nothing));
      return this.#zeroBlock;
    }
    const again = this.#repeated(block, before);
    const deflated = again ?? this.#threads.deflate(block, before);
    this.#last = { block, before, deflated, isKept: again !== undefined };
    return deflated;
  }

  #repeated(block: Block, before: Block): Promise<Deflated> | undefined {
    const last = this.#last;
    if (!last?.block.equals(block) || !last.before.equals(before)) return undefined;
    return last.isKept ? last.deflated : keep(last.deflated);
  }
}

/** What a gzip member ends with. */
function toTrailer(crc: number, sizeBytes: number): Uint8Array {
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(crc, 0);
  trailer.writeUInt32LE(sizeBytes % 2 ** 32, 4);
  return trailer;
}

/** A copy, since the threads use their memory again. */
async function keep(deflated: Promise<Deflated>): Promise<Deflated> {
  const { bytes, crc } = await deflated;
  return { bytes: Buffer.from(bytes), crc };
}
