import { randomBytes } from "node:crypto";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { Problem } from "../problem.ts";
import { isZero } from "./byte-reader.ts";
import type { BundleKey } from "./key.ts";
import type { Manifest } from "./manifest.ts";
import type { OpenPart } from "./part-source.ts";
import type { Segment } from "./tar-reader.ts";
import { type UnpackedImage, unpack } from "./unpack.ts";

/**
 * Unpacks a bundle into a file at this path, with holes where the image is zero. It is written beside and renamed
 * when all of it is verified: what stands at the path is a whole image or what was there before.
 */
export async function writeImage(
  manifest: Manifest,
  key: BundleKey,
  openPart: OpenPart,
  path: string,
  options: { readonly signal: AbortSignal; onProgress?(doneBytes: number): void },
): Promise<UnpackedImage> {
  await using file = await SparseFile.create(path);
  const unpacked = await unpack(manifest, {
    ...options,
    key,
    openPart,
    onSegment: (segment) => file.write(segment),
  });
  await file.keep(unpacked.sizeBytes);
  return unpacked;
}

/** Zeros become a hole where so many of them are aligned. Smaller holes cost more writes than they save room. */
const holeBytes = 32 * 1024;

/** So many writes may be under way while the next bytes are made. With more, gunzip would wait behind them in libuv's pool. */
const mostWrites = 3;

class SparseFile implements AsyncDisposable {
  readonly #path: string;
  readonly #temporary: string;
  readonly #file: FileHandle;
  readonly #writes: Promise<void>[] = [];

  static async create(path: string): Promise<SparseFile> {
    const temporary = `${path}.${randomBytes(6).toString("hex")}.partial`;
    try {
      return new SparseFile(path, temporary, await open(temporary, "wx"));
    } catch (cause) {
      throw new Problem("file-unreadable", `cannot write the image to ${path}`, { cause });
    }
  }

  constructor(path: string, temporary: string, file: FileHandle) {
    this.#path = path;
    this.#temporary = temporary;
    this.#file = file;
  }

  /** Resolves when there is room for more; the bytes are in use until `keep` or the end. */
  async write({ offset, bytes }: Segment): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const end = this.#endOfRun(offset, bytes, at);
      if (end > at) await this.#begin(bytes.subarray(at, end), offset + at);
      // What stopped the run was a hole, or the end.
      at = endOfBlock(offset, end);
    }
  }

  async keep(sizeBytes: number): Promise<void> {
    await Promise.all(this.#writes);
    await this.#file.truncate(sizeBytes);
    await rename(this.#temporary, this.#path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#writes);
    await this.#file.close();
    await rm(this.#temporary, { force: true });
  }

  #endOfRun(offset: number, bytes: Uint8Array, start: number): number {
    let end = start;
    while (end < bytes.length) {
      const next = endOfBlock(offset, end);
      if (isZero(bytes.subarray(end, next))) break;
      end = Math.min(next, bytes.length);
    }
    return end;
  }

  async #begin(bytes: Uint8Array, offset: number): Promise<void> {
    const write = this.#writeAll(bytes, offset);
    // Its turn to be awaited may come after it has failed.
    write.catch(() => undefined);
    this.#writes.push(write);
    if (this.#writes.length < mostWrites) return;
    await this.#writes[0];
    void this.#writes.shift();
  }

  async #writeAll(bytes: Uint8Array, offset: number): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      done += await this.#writeSome(bytes.subarray(done), offset + done);
    }
  }

  async #writeSome(bytes: Uint8Array, offset: number): Promise<number> {
    try {
      return (await this.#file.write(bytes, 0, bytes.length, offset)).bytesWritten;
    } catch (cause) {
      if (!(cause instanceof Error && "code" in cause && cause.code === "ENOSPC")) throw cause;
      throw new Problem("disk-full", `no room for the image at ${this.#path}`, { cause });
    }
  }
}

/** Where, seen from the beginning of the bytes at this offset, the block of the file ends that `at` is in. */
function endOfBlock(offset: number, at: number): number {
  return at + holeBytes - ((offset + at) % holeBytes);
}
