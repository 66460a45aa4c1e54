import { ByteReader, isZero } from "./byte-reader.ts";
import { isSafeFileName } from "./manifest.ts";
import {
  type Extent,
  readTarExtension,
  readTarHeader,
  type TarHeader,
  tarBlockBytes,
  tarProblem,
} from "./tar-header.ts";

/** Bytes of an image and where they stand in it; what no segment covers is zero. */
export type Segment = { readonly offset: number; readonly bytes: Uint8Array };

/** More than any tar program puts behind its last member. */
const mostTrailingBytes = 1024 * 1024;

/** As many as 32 GiB have when every other block of 4 KiB is a hole. */
const mostExtents = 4 * 1024 * 1024;

/**
 * The image in a tar stream, in ascending segments. The stream must hold one file of this size and nothing else,
 * under any name that is no path, else `bundle-invalid`.
 */
export async function* toSegments(
  tar: AsyncIterable<Uint8Array>,
  sizeBytes: number,
): AsyncGenerator<Segment, void, undefined> {
  const reader = new ByteReader(tar);
  const header = readTarHeader(await reader.exactly(tarBlockBytes));
  if (!isSafeFileName(header.name)) throw tarProblem(`its member is called "${header.name}"`);
  if (header.sizeBytes !== sizeBytes) {
    throw tarProblem(`its member has ${header.sizeBytes} bytes, the manifest says ${sizeBytes}`);
  }
  for (const extent of await readExtents(reader, header)) yield* readExtent(reader, extent);
  await reader.exactly(-header.storedBytes & (tarBlockBytes - 1));
  await expectNothingMore(reader);
}

async function readExtents(reader: ByteReader, header: TarHeader): Promise<readonly Extent[]> {
  if (header.type === "0") return [{ offset: 0, sizeBytes: header.sizeBytes }];
  const extents = [...header.extents];
  let { isExtended } = header;
  while (isExtended) {
    const block = await reader.exactly(tarBlockBytes);
    if (block.length < tarBlockBytes) throw tarProblem("it ends in the sparse map");
    const extension = readTarExtension(block);
    // Without this a stream of empty extensions would be read for ever.
    if (extension.extents.length === 0) throw tarProblem("its sparse map has an empty block");
    checkExtents([...extents.slice(-1), ...extension.extents], header.sizeBytes);
    extents.push(...extension.extents);
    if (extents.length > mostExtents) throw tarProblem("its sparse map does not end");
    isExtended = extension.isExtended;
  }
  checkExtents(extents, header.sizeBytes);
  const stored = extents.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  if (stored !== header.storedBytes) {
    throw tarProblem(`its sparse map has ${stored} bytes, its header ${header.storedBytes}`);
  }
  return extents;
}

function checkExtents(extents: readonly Extent[], sizeBytes: number): void {
  let end = 0;
  for (const extent of extents) {
    if (extent.offset < end) throw tarProblem("its sparse map overlaps");
    end = extent.offset + extent.sizeBytes;
  }
  if (end > sizeBytes) throw tarProblem("its sparse map leads beyond the image");
}

async function* readExtent(reader: ByteReader, extent: Extent): AsyncGenerator<Segment, void, undefined> {
  const end = extent.offset + extent.sizeBytes;
  for (let offset = extent.offset; offset < end; ) {
    const bytes = await reader.atMost(end - offset);
    if (!bytes) throw tarProblem("it ends in the middle of the image");
    yield { offset, bytes };
    offset += bytes.length;
  }
}

async function expectNothingMore(reader: ByteReader): Promise<void> {
  let trailing = 0;
  for (;;) {
    const bytes = await reader.atMost(mostTrailingBytes);
    if (!bytes) return;
    if (!isZero(bytes)) throw tarProblem("something follows the image");
    trailing += bytes.length;
    if (trailing > mostTrailingBytes) throw tarProblem("it does not end after the image");
  }
}
