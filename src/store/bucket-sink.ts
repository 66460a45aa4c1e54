import pLimit from "p-limit";
import type { Provider } from "../aws/provider.ts";
import type { BundlePart, BundleSink } from "../bundle/bundle-sink.ts";
import type { Manifest } from "../bundle/manifest.ts";
import { Problem } from "../problem.ts";
import { type Place, toKey, toUrl } from "./address.ts";
import { findByName } from "./delete-bundle.ts";
import { manifestType, partType, sha1Of } from "./put-file.ts";

/** Where in S3 a bundle is made. */
export type BucketSinkOptions = {
  readonly provider: Provider;
  readonly place: Place;
  /** Of the bundle. */
  readonly name: string;
  readonly acl: string;
  /** Takes the place of another bundle of this name. */
  readonly replace?: boolean;
  /** Parts on their way at once, 10 MiB each. */
  readonly concurrency: number;
  readonly signal: AbortSignal;
};

/** How much time the parts of a bundle that failed get to go away again. */
const rollBackMs = 60_000;

/**
 * Puts a bundle into S3 while it is made, with no copy on this machine. A bundle of this name that is there is
 * `bucket-unusable`, or goes first.
 */
export async function bucketSink(options: BucketSinkOptions): Promise<BundleSink> {
  const { provider, place, name, replace = false, signal } = options;
  const where = { bucket: place.bucket, key: toKey(place, `${name}.manifest.xml`) };
  if ((await provider.headObject(where, signal)) !== null) {
    if (!replace) {
      throw new Problem("bucket-unusable", `there is a bundle at ${toUrl(place, where.key)} already`, {
        hint: "an image may need it: use another prefix, or replace it with --replace",
      });
    }
    // From here until the new manifest stands, there is none: none is ever beside parts of another bundle.
    await provider.deleteObject(where, signal);
  }
  return new BucketSink(options);
}

class BucketSink implements BundleSink {
  readonly #options: BucketSinkOptions;
  readonly #limit: ReturnType<typeof pLimit>;
  readonly #failed = new AbortController();
  readonly #signal: AbortSignal;
  readonly #flight = new Set<Promise<void>>();
  readonly #keys: string[] = [];
  #isWhole = false;

  constructor(options: BucketSinkOptions) {
    this.#options = options;
    this.#limit = pLimit(options.concurrency);
    this.#signal = AbortSignal.any([options.signal, this.#failed.signal]);
  }

  /** Nobody knows yet how many there will be; four digits keep any listing in order. */
  partName(index: number): string {
    return `${this.#options.name}.part.${String(index).padStart(4, "0")}`;
  }

  async writePart({ index, bytes, sha1 }: BundlePart): Promise<void> {
    this.#signal.throwIfAborted();
    const key = toKey(this.#options.place, this.partName(index));
    this.#keys.push(key);
    // They are only lent, and on their way longer than this takes.
    const lasting = Uint8Array.from(bytes);
    const sent = this.#put(key, lasting, sha1, partType).catch((error: unknown) => this.#failed.abort(error));
    this.#flight.add(sent);
    void sent.then(() => this.#flight.delete(sent));
    // Packing waits for it, so that no more than this many are in memory.
    if (this.#flight.size >= this.#options.concurrency) await Promise.race(this.#flight);
  }

  async finish({ image }: Manifest, text: string): Promise<void> {
    await Promise.all(this.#flight);
    this.#signal.throwIfAborted();
    await this.#removeOthers(new Set(this.#keys));
    const bytes = Buffer.from(text, "utf8");
    const key = toKey(this.#options.place, `${image.name}.manifest.xml`);
    this.#keys.unshift(key);
    await this.#put(key, bytes, sha1Of(bytes), manifestType);
    this.#isWhole = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isWhole) return;
    this.#failed.abort();
    await Promise.all(this.#flight);
    const { provider, place } = this.#options;
    // What brought us here may have aborted the run's own signal.
    await provider
      .deleteObjects(place.bucket, this.#keys, AbortSignal.timeout(rollBackMs))
      .catch(() => undefined);
  }

  #put(key: string, bytes: Uint8Array, sha1: string, contentType: string): Promise<void> {
    const { provider, place, acl } = this.#options;
    const body = { bytes, sha1, contentType, acl };
    return this.#limit(() => provider.putObject({ bucket: place.bucket, key }, body, this.#signal));
  }

  /** Of an older bundle that had more parts, or of one that was never finished. */
  async #removeOthers(own: ReadonlySet<string>): Promise<void> {
    const { provider, place, name, signal } = this.#options;
    try {
      const { parts } = await findByName(provider, place, name, signal);
      const others = parts.filter((key) => !own.has(key));
      await provider.deleteObjects(place.bucket, others, signal);
    } catch (error) {
      // Who may only put objects makes a bundle all the same; the others do no harm.
      if (!(error instanceof Problem) || error.code !== "permission-denied") throw error;
    }
  }
}
