import { availableParallelism } from "node:os";
import { Problem } from "../problem.ts";
import { abortable } from "./abortable.ts";
import { BufferRing } from "./buffer-ring.ts";
import { blockBytes } from "./deflate-threads.ts";
import { DigestThread } from "./digest-thread.ts";
import { gzip } from "./gzip.ts";
import { ImageDigest } from "./image-digest.ts";
import type { BundleKey } from "./key.ts";
import { isSafeFileName } from "./manifest.ts";
import { type PackedPart, type Part, toParts } from "./parts.ts";
import { toTarBlocks } from "./tar-blocks.ts";
import type { Extent } from "./tar-header.ts";

/** How to pack, and where to. */
export type PackOptions = {
  /** Of the bundle: of the tar member, and the beginning of every file's name. */
  readonly name: string;
  /** Of the image; it must have exactly so many. */
  readonly sizeBytes: number;
  /**
   * Where the image is not zero, ascending: `image` then yields the bytes of these and of nothing else, and the bundle
   * holds no others. Absent: all of it.
   */
  readonly extents?: readonly Extent[];
  /** Written into the tar header; 1970 when absent. */
  readonly modifiedAt?: Date;
  readonly key: BundleKey;
  /** 1 to 9, as libdeflate counts; absent: `defaultLevel`. */
  readonly level?: number;
  /** That deflate; absent: one for each core, at most 6. */
  readonly threads?: number;
  /** Also makes the SHA-256 of the raw image, which no manifest has: 0.7 to 0.9 s of a core per GiB. */
  readonly imageDigest?: boolean;
  readonly signal: AbortSignal;
  /**
   * Takes the parts, one after the other. Their bytes are valid until the promise resolves. A slow disk or network slows
   * the source down and nothing piles up.
   */
  onPart(part: Part): Promise<void>;
  /** Called with the bytes taken from `image` so far. */
  onProgress?(doneBytes: number): void;
};

/** Within 2.5 % of the size that `gzip -9` reaches, in a twelfth of its time on two cores (bench/bundle.md). */
const defaultLevel = 4;

/**
 * Each takes 10 MiB. As many deflate 400 MiB a second, which makes parts faster than a network of a gigabit takes them
 * (bench/bundle.md).
 */
const mostThreads = 6;

/** What was packed, and all that a manifest says of it. */
export type PackedImage = {
  /** Hex SHA-1 of the tar stream. */
  readonly digest: string;
  readonly sizeBytes: number;
  readonly bundledSizeBytes: number;
  readonly parts: readonly PackedPart[];
  /** Hex SHA-256 of the raw image, if it was asked for. */
  readonly imageSha256: string | null;
};

/**
 * Image -> tar -> gzip -> AES-128-CBC -> parts, in one pass and bounded memory. An image that is shorter or longer
 * than announced is `bundle-invalid`.
 */
export async function pack(image: AsyncIterable<Uint8Array>, options: PackOptions): Promise<PackedImage> {
  checkOptions(options);
  const { key, signal, sizeBytes, level = defaultLevel, imageDigest = false } = options;
  const extents = options.extents ?? [{ offset: 0, sizeBytes }];
  const { threads = Math.min(mostThreads, availableParallelism()) } = options;
  // Enough to keep every thread busy while blocks wait for their turn; more would only take memory.
  const inFlight = Math.max(8, threads + 4);
  // One more, since a block is deflated behind the one before it.
  const ring = new BufferRing(new SharedArrayBuffer((inFlight + 1) * blockBytes), blockBytes);
  await using tar = new DigestThread("sha1", ring.memory);
  await using raw = imageDigest ? new ImageDigest(ring.memory, extents, sizeBytes) : undefined;
  const compressed = gzip(toTarBlocks(abortable(image, signal), ring, { ...options, extents }), {
    level,
    memory: ring.memory,
    inFlight,
    threads,
    seeing: ({ bytes, isImage }) =>
      Promise.all([tar.update(bytes), isImage ? raw?.update(bytes) : undefined]),
  });
  const parts: PackedPart[] = [];
  const onPart = async (part: Part): Promise<void> => {
    signal.throwIfAborted();
    await options.onPart(part);
  };
  for await (const part of toParts(compressed, key, onPart)) parts.push(part);
  signal.throwIfAborted();
  return {
    digest: await tar.hex(),
    sizeBytes,
    bundledSizeBytes: parts.reduce((sum, part) => sum + part.sizeBytes, 0),
    parts,
    imageSha256: (await raw?.hex()) ?? null,
  };
}

/**
 * `NAME.part.I`, zero-padded to as many digits as the count has: 10 parts are 00 to 09, 9 parts 0 to 8.
 * So does Amazon's tool; readers go by the manifest and never by this.
 */
export function partName(name: string, index: number, count: number): string {
  return `${name}.part.${String(index).padStart(String(count).length, "0")}`;
}

/** A part's name while nobody knows how many there will be; four digits keep any listing in order. */
export function streamedPartName(name: string, index: number): string {
  return `${name}.part.${String(index).padStart(4, "0")}`;
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
