import { createDecipheriv, createHash } from "node:crypto";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { Problem } from "../problem.ts";
import type { BundleKey } from "./key.ts";
import type { Manifest } from "./manifest.ts";
import { inOrder } from "./ordered.ts";
import { type OpenPart, readPart } from "./part-source.ts";
import { tap } from "./tap.ts";
import { type Segment, toSegments } from "./tar-reader.ts";

/** What opens a bundle, and who takes the image. */
export type UnpackOptions = {
  readonly key: BundleKey;
  readonly openPart: OpenPart;
  readonly signal: AbortSignal;
  /**
   * Takes the image's bytes in ascending order. All of it is only known to be right when `unpack` resolves. Absent:
   * the bundle is verified and thrown away.
   */
  onSegment?(segment: Segment): Promise<void>;
  /** Called with the bytes of parts read so far, of `bundledSizeBytes`. */
  onProgress?(doneBytes: number): void;
};

/** `dataBytes` is what the bundle holds of the image; the rest are holes. */
export type UnpackedImage = { readonly sizeBytes: number; readonly dataBytes: number };

/** One part is read while another is being opened up. */
const partsInFlight = 2;

/** Gunzip is the slowest: it need wait neither for bytes nor for what is done with its own until 4 MiB of them lie there. */
const ahead = {
  chunkSize: 512 * 1024,
  writableHighWaterMark: 4 * 1024 * 1024,
  readableHighWaterMark: 4 * 1024 * 1024,
};

/** What is decrypted at once, bytes: memory for a whole part would be taken anew each time. */
const cipherPieceBytes = 1024 * 1024;

/**
 * Parts -> AES -> gunzip -> tar -> image, in one pass and bounded memory. Everything that the manifest says is held
 * against what is found: SHA-1 of each part and of the tar stream, sizes, padding, the one member. The first that
 * does not agree is the Problem `bundle-invalid`.
 */
export async function unpack(manifest: Manifest, options: UnpackOptions): Promise<UnpackedImage> {
  const { image } = manifest;
  const { signal, onSegment } = options;
  const digest = createHash("sha1");
  let dataBytes = 0;
  try {
    await pipeline(
      decrypt(readParts(manifest, options), options.key),
      createGunzip(ahead),
      async (plain: AsyncIterable<Buffer>) => {
        const tar = tap(plain, (bytes) => digest.update(bytes));
        for await (const segment of toSegments(tar, image.sizeBytes)) {
          dataBytes += segment.bytes.length;
          await onSegment?.(segment);
        }
      },
      { signal },
    );
  } catch (cause) {
    signal.throwIfAborted();
    throw isZlibError(cause) ? undecryptable(cause) : cause;
  }
  const found = digest.digest("hex");
  if (found !== image.digest) {
    throw new Problem(
      "bundle-invalid",
      `the tar stream in the bundle has SHA-1 ${found}, the manifest says ${image.digest}`,
    );
  }
  return { sizeBytes: image.sizeBytes, dataBytes };
}

async function* readParts(
  { image }: Manifest,
  { openPart, signal, onProgress }: UnpackOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  let total = 0;
  for await (const bytes of inOrder(image.parts, partsInFlight, (part) => readPart(part, openPart, signal))) {
    total += bytes.length;
    onProgress?.(total);
    yield bytes;
  }
  if (total === image.bundledSizeBytes) return;
  throw new Problem(
    "bundle-invalid",
    `the parts have ${total} bytes together, the manifest says ${image.bundledSizeBytes}`,
  );
}

async function* decrypt(
  parts: AsyncIterable<Uint8Array>,
  key: BundleKey,
): AsyncGenerator<Uint8Array, void, undefined> {
  const decipher = createDecipheriv("aes-128-cbc", key.keyBytes(), key.ivBytes());
  for await (const part of parts) {
    for (let at = 0; at < part.length; at += cipherPieceBytes) {
      yield decipher.update(part.subarray(at, at + cipherPieceBytes));
    }
  }
  yield finish(() => decipher.final());
}

function finish(final: () => Uint8Array): Uint8Array {
  try {
    return final();
  } catch (cause) {
    throw undecryptable(cause);
  }
}

/** The parts are as the manifest says, so it is the key, or whoever made the bundle. */
function undecryptable(cause: unknown): Problem {
  return new Problem("bundle-invalid", "the parts do not decrypt to a gzip stream with this key", {
    hint: "the manifest's key and the parts may be of two different bundles",
    cause,
  });
}

function isZlibError(error: unknown): boolean {
  return error instanceof Error && "code" in error && String(error.code).startsWith("Z_");
}
