import { createCipheriv, createHash } from "node:crypto";
import { Problem } from "../problem.ts";
import { abortable } from "./abortable.ts";
import { gzip } from "./gzip.ts";
import type { BundleKey } from "./key.ts";
import { isSafeFileName, partSizeBytes } from "./manifest.ts";
import { tap } from "./tap.ts";
import { tarTailBytes, toTarHeader } from "./tar-header.ts";

/** How to pack, and where to. */
export type PackOptions = {
  /** Of the bundle: of the tar member, and the beginning of every file's name. */
  readonly name: string;
  /** Of the image; it must have exactly so many. */
  readonly sizeBytes: number;
  /** Written into the tar header; 1970 when absent. */
  readonly modifiedAt?: Date;
  readonly key: BundleKey;
  /** Of deflate, 1 to 9; 6 when absent. */
  readonly level?: number;
  readonly signal: AbortSignal;
  /** Packing waits for it, so a slow disk or network slows the source down and nothing piles up. */
  onPart(part: Part): Promise<void>;
  /** Called with the bytes of the image done so far. */
  onProgress?(doneBytes: number): void;
};

/** A part of the bundle, at most 10 MiB; the bytes are the receiver's. */
type Part = { readonly index: number; readonly bytes: Uint8Array; readonly sha1: string };

/** What was packed, and all that a manifest says of it. */
export type PackedImage = {
  /** Hex SHA-1 of the tar stream. */
  readonly digest: string;
  readonly sizeBytes: number;
  readonly bundledSizeBytes: number;
  readonly parts: readonly PackedPart[];
  /** Hex SHA-256 of the raw image. */
  readonly imageSha256: string;
};

/** A part that was handed over. */
type PackedPart = { readonly index: number; readonly sizeBytes: number; readonly sha1: string };

/**
 * Image -> tar -> gzip -> AES-128-CBC -> parts, in one pass and bounded memory. An image that is shorter or longer
 * than announced is `bundle-invalid`.
 */
export async function pack(image: AsyncIterable<Uint8Array>, options: PackOptions): Promise<PackedImage> {
  checkOptions(options);
  const { key, signal, level = 6 } = options;
  const raw = createHash("sha256");
  const tar = createHash("sha1");
  const source = tap(abortable(image, signal), (bytes) => raw.update(bytes));
  const compressed = gzip(
    tap(toTar(source, options), (bytes) => tar.update(bytes)),
    level,
  );
  const parts: PackedPart[] = [];
  for await (const part of toParts(encrypt(compressed, key))) {
    signal.throwIfAborted();
    parts.push({ index: part.index, sizeBytes: part.bytes.length, sha1: part.sha1 });
    await options.onPart(part);
  }
  signal.throwIfAborted();
  return {
    digest: tar.digest("hex"),
    sizeBytes: options.sizeBytes,
    bundledSizeBytes: parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    parts,
    imageSha256: raw.digest("hex"),
  };
}

/**
 * `NAME.part.I`, zero-padded to as many digits as the count has: 10 parts are 00 to 09, 9 parts 0 to 8.
 * So does Amazon's tool; readers go by the manifest and never by this.
 */
export function partName(name: string, index: number, count: number): string {
  return `${name}.part.${String(index).padStart(String(count).length, "0")}`;
}

function checkOptions({ name, sizeBytes }: PackOptions): void {
  if (!isSafeFileName(name)) {
    throw new Problem("usage-wrong", `"${name}" cannot be the name of a bundle`, {
      hint: "use letters, digits, dots, dashes and underscores",
    });
  }
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes <= 0) {
    throw new Problem("bundle-invalid", `an image of ${sizeBytes} bytes cannot be bundled`);
  }
}

async function* toTar(
  image: AsyncIterable<Uint8Array>,
  { name, sizeBytes, modifiedAt = new Date(0), onProgress }: PackOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield toTarHeader(name, sizeBytes, modifiedAt);
  let doneBytes = 0;
  for await (const chunk of image) {
    doneBytes += chunk.length;
    if (doneBytes > sizeBytes) {
      throw new Problem("bundle-invalid", `the image has more than the ${sizeBytes} bytes announced`);
    }
    yield chunk;
    onProgress?.(doneBytes);
  }
  if (doneBytes < sizeBytes) {
    throw new Problem(
      "bundle-invalid",
      `the image ends after ${doneBytes} bytes of the ${sizeBytes} announced`,
    );
  }
  yield new Uint8Array(tarTailBytes(sizeBytes));
}

async function* encrypt(
  chunks: AsyncIterable<Uint8Array>,
  key: BundleKey,
): AsyncGenerator<Uint8Array, void, undefined> {
  const cipher = createCipheriv("aes-128-cbc", key.keyBytes(), key.ivBytes());
  for await (const chunk of chunks) yield cipher.update(chunk);
  yield cipher.final();
}

/** Cuts into parts of 10 MiB; only the last may be shorter, and it is never empty. */
async function* toParts(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Part, void, undefined> {
  let bytes = Buffer.allocUnsafeSlow(partSizeBytes);
  let filled = 0;
  let index = 0;
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; ) {
      if (filled === partSizeBytes) {
        yield toPart(index, bytes);
        bytes = Buffer.allocUnsafeSlow(partSizeBytes);
        filled = 0;
        index += 1;
      }
      const piece = chunk.subarray(at, at + partSizeBytes - filled);
      bytes.set(piece, filled);
      filled += piece.length;
      at += piece.length;
    }
  }
  yield toPart(index, bytes.subarray(0, filled));
}

function toPart(index: number, bytes: Uint8Array): Part {
  return { index, bytes, sha1: createHash("sha1").update(bytes).digest("hex") };
}
