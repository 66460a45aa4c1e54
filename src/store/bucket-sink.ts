import { setMaxListeners } from "node:events";
import pLimit from "p-limit";
import type { Provider } from "../aws/provider.ts";
import type { BundlePart, BundleSink } from "../bundle/bundle-sink.ts";
import type { Manifest } from "../bundle/manifest.ts";
import { streamedPartName } from "../bundle/pack.ts";
import { Problem } from "../problem.ts";
import { abortable } from "../util/abortable.ts";
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

/** How long what is on its way gets to arrive, so that it can be deleted. */
const answerMs = 5_000;

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
  readonly #flight = new Set<Promise<void>>();
  readonly #failed = new AbortController();
  /** Of each request. Not the run's: what was sent in full is stored, even when nobody waits for the answer. */
  readonly #given = new AbortController();
  readonly #keys: string[] = [];
  #isWhole = false;

  constructor(options: BucketSinkOptions) {
    this.#options = options;
    this.#limit = pLimit(options.concurrency);
    setMaxListeners(0, this.#given.signal);
  }

  partName(index: number): string {
    return streamedPartName(this.#options.name, index);
  }

  async writePart({ index, bytes, sha1 }: BundlePart): Promise<void> {
    this.#signal.throwIfAborted();
    // They are only lent, and on their way longer than this takes.
    this.#send(this.partName(index), Uint8Array.from(bytes), sha1, partType);
    // Packing waits for it, so that no more than this many are in memory.
    if (this.#flight.size >= this.#options.concurrency) await this.#until(Promise.race(this.#flight));
  }

  async finish({ image }: Manifest, text: string): Promise<void> {
    await this.#until(Promise.all(this.#flight));
    await this.#removeOthers(new Set(this.#keys));
    const bytes = Buffer.from(text, "utf8");
    this.#send(`${image.name}.manifest.xml`, bytes, sha1Of(bytes), manifestType);
    await this.#until(Promise.all(this.#flight));
    this.#isWhole = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isWhole) return;
    const late = setTimeout(() => this.#given.abort(), answerMs);
    await Promise.all(this.#flight);
    clearTimeout(late);
    const { provider, place } = this.#options;
    // What brought us here may have aborted the run's own signal.
    await provider
      .deleteObjects(place.bucket, this.#keys.reverse(), AbortSignal.timeout(rollBackMs))
      .catch(() => undefined);
  }

  get #signal(): AbortSignal {
    return AbortSignal.any([this.#options.signal, this.#failed.signal]);
  }

  #send(fileName: string, bytes: Uint8Array, sha1: string, contentType: string): void {
    const { provider, place, acl } = this.#options;
    const key = toKey(place, fileName);
    this.#keys.push(key);
    const body = { bytes, sha1, contentType, acl };
    const sent = this.#limit(() =>
      provider.putObject({ bucket: place.bucket, key }, body, this.#given.signal),
    )
      .catch((error: unknown) => this.#failed.abort(error))
      .finally(() => this.#flight.delete(sent));
    this.#flight.add(sent);
  }

  /** Until then, or until something failed or the run is over. */
  async #until(done: Promise<unknown>): Promise<void> {
    await abortable(done, this.#signal);
    this.#signal.throwIfAborted();
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
