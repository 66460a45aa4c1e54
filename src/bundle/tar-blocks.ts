import { Problem } from "../problem.ts";
import type { BufferRing } from "./buffer-ring.ts";
import { copyBytes } from "./copy-bytes.ts";
import { type Block, blockBytes } from "./deflate-threads.ts";
import { type Extent, storedBytesOf, tarBlockBytes, tarTailBytes, toTarHeader } from "./tar-header.ts";

/** The one member of a bundle's tar stream. */
export type TarMember = {
  readonly name: string;
  readonly sizeBytes: number;
  readonly extents: readonly Extent[];
  readonly modifiedAt?: Date;
  onProgress?(doneBytes: number): void;
};

/** A block of the tar stream. Those of the image hold nothing else. */
export type TarBlock = { readonly bytes: Block; readonly isImage: boolean };

/**
 * The tar stream of an image whose extents arrive in these chunks. The image begins a block of its own, so that what
 * is aligned in it, such as stretches of zeros, is aligned in the blocks.
 */
export async function* toTarBlocks(
  image: AsyncIterable<Uint8Array>,
  ring: BufferRing,
  member: TarMember,
): AsyncGenerator<TarBlock, void, undefined> {
  const { extents, name, sizeBytes, modifiedAt = new Date(0) } = member;
  const header = toTarHeader(name, sizeBytes, modifiedAt, extents);
  const storedBytes = storedBytesOf(extents);
  yield* asBlocks(of(header), ring, false);
  yield* asBlocks(exactly(storedBytes, image, member), ring, true);
  yield* asBlocks(of(new Uint8Array(tarTailBytes(header.length - tarBlockBytes + storedBytes))), ring, false);
}

/** Copies, since a source may use its chunks again. All blocks are full but the last. */
async function* asBlocks(
  chunks: AsyncIterable<Uint8Array>,
  ring: BufferRing,
  isImage: boolean,
): AsyncGenerator<TarBlock, void, undefined> {
  let bytes: Block | undefined;
  let filled = 0;
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; ) {
      bytes ??= ring.take();
      const piece = chunk.subarray(at, at + blockBytes - filled);
      copyBytes(piece, bytes, filled);
      filled += piece.length;
      at += piece.length;
      if (filled < blockBytes) continue;
      yield { bytes, isImage };
      bytes = undefined;
      filled = 0;
    }
  }
  if (bytes) yield { bytes: bytes.subarray(0, filled), isImage };
}

async function* exactly(
  storedBytes: number,
  image: AsyncIterable<Uint8Array>,
  { onProgress }: TarMember,
): AsyncGenerator<Uint8Array, void, undefined> {
  let doneBytes = 0;
  for await (const chunk of image) {
    doneBytes += chunk.length;
    if (doneBytes > storedBytes) {
      throw new Problem("bundle-invalid", `the image has more than the ${storedBytes} bytes announced`);
    }
    yield chunk;
    onProgress?.(doneBytes);
  }
  if (doneBytes === storedBytes) return;
  throw new Problem(
    "bundle-invalid",
    `the image ends after ${doneBytes} bytes of the ${storedBytes} announced`,
  );
}

async function* of(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}
