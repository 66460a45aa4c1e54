import { constants, createReadStream, open, type Stats } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { Socket } from "node:net";
import { basename } from "node:path";
import type { Readable } from "node:stream";
import { promisify } from "node:util";
import { Problem } from "../problem.ts";
import { toFileProblem, withFiles } from "./file-problem.ts";
import type { Extent } from "./tar-header.ts";

/** An image that is going to be bundled, wherever it comes from. */
export type ImageSource = {
  /** How the bundle is called when nobody says otherwise: the file's base name; null for a stream. */
  readonly name: string | null;
  readonly sizeBytes: number;
  /** Written into the bundle, as tar does. */
  readonly modifiedAt: Date;
  /** Where it is not zero, and then `chunks` has the bytes of these only. Absent: all of it. */
  readonly extents?: readonly Extent[];
  readonly chunks: AsyncIterable<Uint8Array>;
};

/**
 * The image in a file or on a block device. `sizeBytes` is for what does not tell its own size (a pipe); a file keeps
 * to its own. What cannot be read is the Problem `file-unreadable`.
 */
export async function openImage(path: string, sizeBytes?: number): Promise<ImageSource> {
  const what = `cannot read the image ${path}`;
  const stats = await withFiles(what, () => stat(path));
  if (stats.isDirectory()) {
    throw new Problem("file-unreadable", `${what}: it is a directory`, {
      hint: "name the file or block device that holds the root file system",
    });
  }
  return {
    name: basename(path),
    sizeBytes: await sizeOf(path, stats, sizeBytes),
    modifiedAt: stats.isFile() ? stats.mtime : new Date(),
    chunks: read(stats.isFIFO() ? await openPipe(path, what) : openFile(path), what),
  };
}

/** An image that comes in a stream. The tar header at the beginning of a bundle needs the size, so it must be known. */
export function streamImage(chunks: AsyncIterable<Uint8Array>, sizeBytes: number): ImageSource {
  return { name: null, sizeBytes, modifiedAt: new Date(), chunks };
}

async function* read(stream: Readable, what: string): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* stream;
  } catch (cause) {
    throw toFileProblem(what, cause);
  }
}

function openFile(path: string): Readable {
  return createReadStream(path, { highWaterMark: 1024 * 1024 });
}

/** Reading a silent pipe as a file would hold a thread, and with it the end of the process after Ctrl-C. */
async function openPipe(path: string, what: string): Promise<Readable> {
  // A number rather than a FileHandle, which would close it when it is collected: the socket owns it.
  const fd = await withFiles(what, () => promisify(open)(path, constants.O_RDONLY | constants.O_NONBLOCK));
  return new Socket({ fd, readable: true, writable: false });
}

async function sizeOf(path: string, stats: Stats, announced: number | undefined): Promise<number> {
  if (stats.isFile()) return stats.size;
  const size = announced ?? (stats.isBlockDevice() ? await deviceSize(stats.rdev) : undefined);
  if (size !== undefined) return size;
  throw new Problem("usage-wrong", `the size of ${path} is not known`, {
    hint: "say how many bytes it has: --size 10GiB",
  });
}

/** Of a block device, as Linux tells it: in sectors of 512 bytes, whatever the device's own are. */
async function deviceSize(device: number): Promise<number | undefined> {
  const number = `${majorOf(device)}:${minorOf(device)}`;
  try {
    const sectors = Number(await readFile(`/sys/dev/block/${number}/size`, "utf8"));
    return Number.isSafeInteger(sectors) ? sectors * 512 : undefined;
  } catch {
    return undefined;
  }
}

/** glibc's gnu_dev_major(); BigInt, for the upper half is beyond what shifts of numbers reach. */
function majorOf(device: number): bigint {
  const bits = BigInt(device);
  return ((bits >> 8n) & 0xfffn) | ((bits >> 32n) & 0xfffff000n);
}

/** glibc's gnu_dev_minor(). */
function minorOf(device: number): bigint {
  const bits = BigInt(device);
  return (bits & 0xffn) | ((bits >> 12n) & 0xffffff00n);
}
