import { BufferRing } from "./buffer-ring.ts";
import { CipherThread } from "./cipher-thread.ts";
import { copyBytes } from "./copy-bytes.ts";
import type { BundleKey } from "./key.ts";
import { partSizeBytes } from "./manifest.ts";
import { inOrder } from "./ordered.ts";

/** A part of the bundle, at most 10 MiB, and the hex SHA-1 of its bytes. */
export type Part = { readonly index: number; readonly bytes: Uint8Array; readonly sha1: string };

/** A part that was handed over. */
export type PackedPart = { readonly index: number; readonly sizeBytes: number; readonly sha1: string };

/** While one part is encrypted and handed over, the next is filled. */
const partsInFlight = 2;

/**
 * Encrypts and cuts into parts of 10 MiB; only the last may be shorter, and it is never empty. Parts are handed over one
 * after the other, while the next is made; then their memory is used again.
 */
export async function* toParts(
  chunks: AsyncIterable<Uint8Array>,
  key: BundleKey,
  onPart: (part: Part) => Promise<void>,
): AsyncGenerator<PackedPart, void, undefined> {
  const memory = new SharedArrayBuffer(partsInFlight * partSizeBytes);
  await using cipher = new CipherThread(key, memory);
  let last: Promise<unknown> = Promise.resolve();
  const handOver = async (filling: Filling, before: Promise<unknown>): Promise<PackedPart> => {
    const { index, bytes, filled, isLast } = filling;
    const [{ length, sha1 }] = await Promise.all([cipher.encrypt(bytes, filled, isLast), before]);
    await onPart({ index, bytes: bytes.subarray(0, length), sha1 });
    return { index, sizeBytes: length, sha1 };
  };
  const fillings = toFillings(chunks, new BufferRing(memory, partSizeBytes));
  yield* inOrder(fillings, partsInFlight, (filling) => {
    const part = handOver(filling, last);
    last = part;
    return part;
  });
}

type Filling = {
  readonly index: number;
  readonly bytes: Buffer<SharedArrayBuffer>;
  readonly filled: number;
  readonly isLast: boolean;
};

/** Full ones and then one that is not, perhaps empty: there the cipher's padding finds room. */
async function* toFillings(
  chunks: AsyncIterable<Uint8Array>,
  ring: BufferRing,
): AsyncGenerator<Filling, void, undefined> {
  let bytes = ring.take();
  let filled = 0;
  let index = 0;
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; ) {
      const piece = chunk.subarray(at, at + partSizeBytes - filled);
      copyBytes(piece, bytes, filled);
      filled += piece.length;
      at += piece.length;
      if (filled < partSizeBytes) continue;
      yield { index, bytes, filled, isLast: false };
      bytes = ring.take();
      filled = 0;
      index += 1;
    }
  }
  yield { index, bytes, filled, isLast: true };
}
