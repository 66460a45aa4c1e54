import { availableParallelism } from "node:os";
import { promisify } from "node:util";
import { constants, crc32, deflateRaw, type ZlibOptions } from "node:zlib";
import { isZero } from "./byte-reader.ts";
import { inOrder } from "./ordered.ts";

const blockBytes = 1024 * 1024;

/** How far back deflate looks. */
const windowBytes = 32 * 1024;

/** What `gzip -9` writes into a pipe: no name, no time, Unix. */
const header = Buffer.from("1f8b0800000000000203", "hex");

/** An empty last block of deflate: what came before ended in flushes. */
const lastBlock = Buffer.from("0300", "hex");

const deflateBlock: (block: Uint8Array, options: ZlibOptions) => Promise<Buffer> = promisify(deflateRaw);

/**
 * One gzip member, its blocks of 1 MiB deflated side by side in libuv's pool. Each block takes the end of the one
 * before as its dictionary, so the cuts cost about one percent. The pace is the reader's: only a few blocks are ahead.
 */
export async function* gzip(
  chunks: AsyncIterable<Uint8Array>,
  level: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const total = { crc: 0, sizeBytes: 0 };
  yield header;
  yield* inOrder(toBlocks(chunks, total), blocksInFlight(), deflater(level));
  yield lastBlock;
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(total.crc, 0);
  trailer.writeUInt32LE(total.sizeBytes % 2 ** 32, 4);
  yield trailer;
}

/** Enough to keep every core busy while the main thread digests and encrypts. */
function blocksInFlight(): number {
  return Math.min(32, Math.max(4, 2 * availableParallelism()));
}

type Block = { readonly bytes: Buffer; readonly before: Buffer };

/** Copies into blocks of its own, since a source may use its chunks again. */
async function* toBlocks(
  chunks: AsyncIterable<Uint8Array>,
  total: { crc: number; sizeBytes: number },
): AsyncGenerator<Block, void, undefined> {
  let before = Buffer.alloc(0);
  let bytes = Buffer.allocUnsafeSlow(blockBytes);
  let filled = 0;
  for await (const chunk of chunks) {
    total.crc = crc32(chunk, total.crc);
    total.sizeBytes += chunk.length;
    for (let at = 0; at < chunk.length; ) {
      const piece = chunk.subarray(at, at + blockBytes - filled);
      bytes.set(piece, filled);
      filled += piece.length;
      at += piece.length;
      if (filled < blockBytes) continue;
      yield { bytes, before };
      before = bytes.subarray(-windowBytes);
      bytes = Buffer.allocUnsafeSlow(blockBytes);
      filled = 0;
    }
  }
  if (filled > 0) yield { bytes: bytes.subarray(0, filled), before };
}

/** Deflates blocks; the many that are zero, only once. */
function deflater(level: number): (block: Block) => Promise<Uint8Array> {
  const options: ZlibOptions = { level, finishFlush: constants.Z_SYNC_FLUSH, chunkSize: blockBytes / 4 };
  let zeroBlock: Promise<Buffer> | undefined;
  return ({ bytes, before }) => {
    if (bytes.length === blockBytes && isZero(bytes)) {
      // Without a dictionary it fits behind anything.
      zeroBlock ??= deflateBlock(bytes, options);
      return zeroBlock;
    }
    return deflateBlock(bytes, before.length === 0 ? options : { ...options, dictionary: before });
  };
}
