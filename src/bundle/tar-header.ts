import { Problem } from "../problem.ts";

/** How many extents fit into a header, and into each block of the map behind it. */
const headerExtents = 4;
const extensionExtents = 21;

/** Everything in a tar stands in blocks of this many bytes. */
export const tarBlockBytes = 512;

/** GNU tar fills up its output to whole records of twenty blocks. */
const recordBytes = 20 * tarBlockBytes;

/** The largest number that eleven octal digits hold: 8 GiB - 1. */
const largestOctal = 0o77777777777;

/** A stretch of a file. Between extents are holes. */
export type Extent = { readonly offset: number; readonly sizeBytes: number };

/**
 * The header of a member in GNU's old format, as Amazon's tool writes it: an ordinary one, or when the extents are not
 * all of the file one with a sparse map, which goes on in blocks behind the header. Owner root, mode 0644: EC2 cannot
 * launch an image whose member its owner may not write.
 */
export function toTarHeader(
  name: string,
  sizeBytes: number,
  modifiedAt: Date,
  extents: readonly Extent[] = [{ offset: 0, sizeBytes }],
): Uint8Array {
  const header = Buffer.alloc(tarBlockBytes);
  if (Buffer.byteLength(name) >= 100) {
    throw new Problem("usage-wrong", `"${name}" is too long for the name of a bundle`, {
      hint: "use at most 99 bytes",
    });
  }
  const storedBytes = storedBytesOf(extents);
  const hasHoles = storedBytes < sizeBytes;
  header.write(name, 0);
  header.write("0000644", 100);
  header.write("0000000", 108);
  header.write("0000000", 116);
  writeNumber(header, storedBytes, 124);
  writeNumber(header, Math.max(0, Math.floor(modifiedAt.getTime() / 1000)), 136);
  header.write(hasHoles ? "S" : "0", 156);
  header.write("ustar  ", 257);
  header.write("root", 265);
  header.write("root", 297);
  const extensions = hasHoles ? writeSparseMap(header, sizeBytes, extents) : [];
  header.write(`${checksumOf(header).toString(8).padStart(6, "0")}\0 `, 148);
  return Buffer.concat([header, ...extensions]);
}

/** What an archive stores of a file. */
export function storedBytesOf(extents: readonly Extent[]): number {
  return extents.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

/** How many zero bytes follow a member of this size: its own padding, two blocks, and the rest of the record. */
export function tarTailBytes(sizeBytes: number): number {
  const used = tarBlockBytes + sizeBytes;
  const least = Math.ceil(used / tarBlockBytes) * tarBlockBytes + 2 * tarBlockBytes;
  return Math.ceil(least / recordBytes) * recordBytes - used;
}

/** What a header says of the member that follows it. */
export type TarHeader = {
  readonly name: string;
  /** `0` is an ordinary file, `S` one with holes. */
  readonly type: "0" | "S";
  /** What stands in the archive for it. */
  readonly storedBytes: number;
  /** Its size when it is a file. */
  readonly sizeBytes: number;
  /** Of an `S` member: those that fit into the header. */
  readonly extents: readonly Extent[];
  readonly isExtended: boolean;
};

/** Reads the header of a bundle's member; anything but one of the two kinds that tools write is `bundle-invalid`. */
export function readTarHeader(block: Buffer): TarHeader {
  if (block.length < tarBlockBytes || block.toString("latin1", 257, 262) !== "ustar") {
    throw tarProblem("it does not begin with a tar header");
  }
  if (readNumber(block, 148, 8) !== checksumOf(block)) throw tarProblem("its header has a wrong checksum");
  const type = block.toString("latin1", 156, 157).replace("\0", "0");
  if (type !== "0" && type !== "S") throw tarProblem(`its member has type "${type}", not that of a file`);
  const storedBytes = readNumber(block, 124, 12);
  return {
    name: readText(block, 0, 100),
    type,
    storedBytes,
    sizeBytes: type === "S" ? readNumber(block, 483, 12) : storedBytes,
    extents: type === "S" ? readExtents(block, 386, headerExtents) : [],
    isExtended: type === "S" && block[482] === 1,
  };
}

/** Reads a block that continues the sparse map of a header. */
export function readTarExtension(block: Buffer): Pick<TarHeader, "extents" | "isExtended"> {
  return { extents: readExtents(block, 0, extensionExtents), isExtended: block[504] === 1 };
}

/** A fault of the tar stream inside a bundle. */
export function tarProblem(what: string): Problem {
  return new Problem("bundle-invalid", `the tar stream in the bundle is not that of an image: ${what}`);
}

function readExtents(block: Buffer, start: number, count: number): readonly Extent[] {
  const extents: Extent[] = [];
  for (let at = start; at < start + count * 24; at += 24) {
    // An entry that begins with a zero byte is not used, nor is any after it.
    if (block[at] === 0) break;
    extents.push({ offset: readNumber(block, at, 12), sizeBytes: readNumber(block, at + 12, 12) });
  }
  return extents;
}

/** GNU tar ends every map with an extent of nothing at the end of the file. */
function writeSparseMap(header: Buffer, sizeBytes: number, extents: readonly Extent[]): readonly Buffer[] {
  const map = [...extents, { offset: sizeBytes, sizeBytes: 0 }];
  writeNumber(header, sizeBytes, 483);
  writeExtents(header, map.slice(0, headerExtents), 386);
  const extensions: Buffer[] = [];
  let before = { block: header, flagAt: 482 };
  for (let index = headerExtents; index < map.length; index += extensionExtents) {
    before.block.writeUInt8(1, before.flagAt);
    const block = Buffer.alloc(tarBlockBytes);
    writeExtents(block, map.slice(index, index + extensionExtents), 0);
    extensions.push(block);
    before = { block, flagAt: 504 };
  }
  return extensions;
}

function writeExtents(block: Buffer, extents: readonly Extent[], start: number): void {
  for (const [index, extent] of extents.entries()) {
    writeNumber(block, extent.offset, start + index * 24);
    writeNumber(block, extent.sizeBytes, start + index * 24 + 12);
  }
}

function readText(block: Buffer, start: number, length: number): string {
  return block.toString("utf8", start, start + length).replace(/\0.*$/s, "");
}

/** Octal digits, or with the top bit set a big-endian number. */
function readNumber(block: Buffer, start: number, length: number): number {
  if (block[start] === 0x80) {
    const value = BigInt(`0x${block.toString("hex", start + 1, start + length)}`);
    if (value <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(value);
  }
  const text = readText(block, start, length).trim();
  if (!/^[0-7]+$/.test(text)) throw tarProblem(`"${text}" is no octal number`);
  return Number.parseInt(text, 8);
}

function writeNumber(block: Buffer, value: number, start: number): void {
  if (value <= largestOctal) {
    block.write(value.toString(8).padStart(11, "0"), start);
    return;
  }
  block.writeUInt8(0x80, start);
  block.writeBigUInt64BE(BigInt(value), start + 4);
}

/** The sum of all bytes, with the checksum's own field taken as spaces. */
function checksumOf(block: Buffer): number {
  return block.reduce((sum, byte, at) => sum + (at >= 148 && at < 156 ? 0x20 : byte), 0);
}
