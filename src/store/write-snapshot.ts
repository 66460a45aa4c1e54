import { createHash, webcrypto } from "node:crypto";
import { setMaxListeners } from "node:events";
import type { Provider } from "../aws/provider.ts";
import type { StartedSnapshot, WrittenBlocks } from "../aws/snapshots.ts";
import { type BlockSink, ImageBlocks } from "../bundle/image-blocks.ts";
import type { BundleKey } from "../bundle/key.ts";
import type { OpenedBundle } from "../bundle/opened-bundle.ts";
import { unpack } from "../bundle/unpack.ts";

export type WriteOptions = {
  readonly key: BundleKey;
  /** Blocks on their way at once. */
  readonly concurrency: number;
  readonly signal: AbortSignal;
  /** Called with the bytes of parts read so far, of `bundledSizeBytes`. */
  onProgress?(doneBytes: number): void;
};

/** `blocks` is how many were written; all others are zero. */
export type WrittenImage = {
  readonly sizeBytes: number;
  readonly blocks: number;
  readonly blockBytes: number;
};

/**
 * Writes the image of a bundle into a snapshot that takes blocks, and completes it once every digest and size is as the
 * manifest says. Parts are read no faster than blocks go; besides, each block
 * leaves its digest in memory. Throws `bundle-invalid`; the snapshot is
 * then still incomplete.
 */
export async function writeSnapshot(
  provider: Provider,
  snapshot: StartedSnapshot,
  { manifest, openPart }: OpenedBundle,
  options: WriteOptions,
): Promise<WrittenImage> {
  const { key, signal } = options;
  await using writer = new BlockWriter(provider, snapshot, options);
  const blocks = new ImageBlocks(snapshot.blockBytes, writer);
  const { sizeBytes } = await unpack(manifest, {
    key,
    openPart,
    signal: writer.signal,
    onSegment: (segment) => blocks.add(segment),
    onProgress: (doneBytes) => options.onProgress?.(doneBytes),
  });
  blocks.end();
  const written = await writer.finish();
  await provider.completeSnapshot(snapshot.id, written, signal);
  return { sizeBytes, blocks: written.count, blockBytes: snapshot.blockBytes };
}

/** Sends blocks, several at once, each from memory that is used again. */
class BlockWriter implements BlockSink, AsyncDisposable {
  readonly #provider: Provider;
  readonly #snapshot: StartedSnapshot;
  readonly #failed = new AbortController();
  /** Aborted with what failed first. */
  readonly signal: AbortSignal;
  readonly #free: Buffer[] = [];
  /** Buffers that may still be made: one is being filled while the others are on their way. */
  #unmade: number;
  readonly #underWay = new Set<Promise<void>>();
  /** Of each block in turn: some 5 MiB for an image of 10 GiB. */
  readonly #digests: Uint8Array[] = [];
  #count = 0;

  constructor(provider: Provider, snapshot: StartedSnapshot, { concurrency, signal }: WriteOptions) {
    this.#provider = provider;
    this.#snapshot = snapshot;
    this.#unmade = concurrency;
    this.signal = AbortSignal.any([signal, this.#failed.signal]);
    // Each of the many waits on it, which Node would take for a leak.
    setMaxListeners(0, this.signal);
  }

  async buffer(): Promise<Buffer> {
    for (;;) {
      this.signal.throwIfAborted();
      const free = this.#free.pop();
      if (free) return free;
      if (this.#unmade > 0) {
        this.#unmade -= 1;
        return Buffer.allocUnsafeSlow(this.#snapshot.blockBytes);
      }
      await Promise.race(this.#underWay);
    }
  }

  put(index: number, bytes: Buffer): void {
    const sending = this.#send(index, this.#count, bytes)
      .catch((error: unknown) => this.#failed.abort(error))
      .finally(() => {
        this.#underWay.delete(sending);
        this.#free.push(bytes);
      });
    this.#underWay.add(sending);
    this.#count += 1;
  }

  /** Waits for all blocks, and rejects with what failed first. */
  async finish(): Promise<WrittenBlocks> {
    await Promise.all(this.#underWay);
    this.signal.throwIfAborted();
    const hash = createHash("sha256");
    for (const digest of this.#digests) hash.update(digest);
    return { count: this.#digests.length, sha256: hash.digest() };
  }

  /** Nothing goes on behind the back of whoever gave up. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#failed.abort(new Error("no more blocks are wanted"));
    await Promise.all(this.#underWay);
  }

  async #send(index: number, turn: number, bytes: Buffer): Promise<void> {
    // In libuv's pool: the main thread has the tar stream to digest.
    const sha256 = new Uint8Array(await webcrypto.subtle.digest("SHA-256", bytes));
    this.#digests[turn] = sha256;
    await this.#provider.putSnapshotBlock({ snapshot: this.#snapshot.id, index, bytes, sha256 }, this.signal);
  }
}
