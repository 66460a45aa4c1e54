import { type FileHandle, open } from "node:fs/promises";
import { BufferRing } from "./buffer-ring.ts";
import { isZero } from "./byte-reader.ts";
import { toFileProblem, withFiles } from "./file-problem.ts";
import { type ImageSource, openImage } from "./image-source.ts";
import { inOrder } from "./ordered.ts";
import type { Extent } from "./tar-header.ts";

/** What is read at once, bytes, and how many such reads are under way. */
const pieceBytes = 1024 * 1024;
const readsInFlight = 2;

/** Holes begin and end at multiples of this, as in most file systems. */
const pageBytes = 4096;

/**
 * A shorter run of zeros counts as data: deflate makes as little of it as an entry in a sparse map takes, and so even an
 * image of 10 GiB has no more than some hundred thousand entries.
 */
const leastHoleBytes = 64 * 1024;

/**
 * The image in a file or on a block device, without its zeros: they are no part of the bundle, and the image that comes
 * out of it has holes there. They are found in whole pages of 4 KiB by reading everything once more than for a dense
 * bundle, for Node cannot ask a file system for the holes of a file; what is not zero is then read again.
 */
export async function openSparseImage(path: string, signal: AbortSignal): Promise<ImageSource> {
  const image = await openImage(path);
  const what = `cannot read the image ${path}`;
  const extents = await withFiles(what, () => findExtents(path, image.sizeBytes, signal));
  return { ...image, extents, chunks: readExtents(path, extents, what) };
}

async function findExtents(path: string, sizeBytes: number, signal: AbortSignal): Promise<readonly Extent[]> {
  const extents: Extent[] = [];
  let offset = 0;
  for await (const piece of read(path, [{ offset: 0, sizeBytes }])) {
    signal.throwIfAborted();
    for (const { start, end } of dataRuns(piece)) addRun(extents, offset + start, offset + end);
    offset += piece.length;
  }
  return extents;
}

async function* readExtents(
  path: string,
  extents: readonly Extent[],
  what: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* read(path, extents);
  } catch (cause) {
    throw toFileProblem(what, cause);
  }
}

/** The bytes of these extents, fewer where the file ends. A chunk is valid until the next is asked for. */
async function* read(path: string, extents: readonly Extent[]): AsyncGenerator<Uint8Array, void, undefined> {
  await using file = await open(path, "r");
  const ring = new BufferRing(new SharedArrayBuffer(readsInFlight * pieceBytes), pieceBytes);
  yield* inOrder(toPieces(extents), readsInFlight, ({ offset, sizeBytes }) =>
    fill(ring.take().subarray(0, sizeBytes), file, offset),
  );
}

function* toPieces(extents: readonly Extent[]): Generator<Extent> {
  for (const { offset, sizeBytes } of extents) {
    for (let at = 0; at < sizeBytes; at += pieceBytes) {
      yield { offset: offset + at, sizeBytes: Math.min(pieceBytes, sizeBytes - at) };
    }
  }
}

async function fill(buffer: Buffer, file: FileHandle, offset: number): Promise<Buffer> {
  let filled = 0;
  while (filled < buffer.length) {
    const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, offset + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

type Run = { readonly start: number; readonly end: number };

function* dataRuns(piece: Uint8Array): Generator<Run> {
  if (isZero(piece)) return;
  let start: number | undefined;
  for (let at = 0; at < piece.length; at += pageBytes) {
    if (!isZeroPage(piece, at)) start ??= at;
    else if (start !== undefined) {
      yield { start, end: at };
      start = undefined;
    }
  }
  if (start !== undefined) yield { start, end: piece.length };
}

/** Most pages that are not zero begin so, and a look at a few bytes costs less than a view of all. */
function isZeroPage(piece: Uint8Array, at: number): boolean {
  for (let offset = at; offset < at + 64; offset += 1) if ((piece[offset] ?? 0) !== 0) return false;
  return isZero(piece.subarray(at, at + pageBytes));
}

function addRun(extents: Extent[], start: number, end: number): void {
  const last = extents.at(-1);
  const isNear = last !== undefined && start - (last.offset + last.sizeBytes) < leastHoleBytes;
  if (isNear) void extents.pop();
  const offset = isNear ? last.offset : start;
  extents.push({ offset, sizeBytes: end - offset });
}
