import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import type { Partition } from "../../util/region.ts";
import { readState, writeState } from "../state-file.ts";
import type { Bucket } from "./bucket.ts";
import type { StoredObject } from "./object.ts";

type OpenBucket = { bucket: Bucket; readonly directory: string; readonly objects: Map<string, StoredObject> };

/**
 * Buckets and objects in a directory: every object is a file of bytes and a file of JSON. Only the JSON is held in
 * memory.
 */
export class S3Store {
  readonly directory: string;
  readonly #buckets = new Map<string, OpenBucket>();

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async open(directory: string): Promise<S3Store> {
    const store = new S3Store(directory);
    await rm(store.incomingDirectory, { recursive: true, force: true });
    await mkdir(store.incomingDirectory, { recursive: true });
    for (const partition of ["aws", "aws-cn", "aws-us-gov"]) {
      const parent = join(directory, partition);
      await mkdir(parent, { recursive: true });
      for (const name of await readdir(parent)) await store.#load(join(parent, name));
    }
    return store;
  }

  /** Where bytes are written until they are an object. */
  get incomingDirectory(): string {
    return join(this.directory, "incoming");
  }

  newFile(): string {
    return randomUUID();
  }

  async #load(directory: string): Promise<void> {
    const bucket = await readState<Bucket>(join(directory, "bucket.json"));
    if (!bucket) return;
    const objects = new Map<string, StoredObject>();
    for (const file of await readdir(join(directory, "objects"))) {
      if (!file.endsWith(".json")) continue;
      const object = await readState<StoredObject>(join(directory, "objects", file));
      if (object) objects.set(object.key, object);
    }
    this.#buckets.set(`${bucket.partition}/${bucket.name}`, { bucket, directory, objects });
  }

  buckets(partition: Partition): readonly Bucket[] {
    return [...this.#buckets.values()]
      .map(({ bucket }) => bucket)
      .filter((one) => one.partition === partition);
  }

  bucket(partition: Partition, name: string): Bucket | undefined {
    return this.#buckets.get(`${partition}/${name}`)?.bucket;
  }

  async putBucket(bucket: Bucket): Promise<void> {
    const directory = join(this.directory, bucket.partition, bucket.name);
    await mkdir(join(directory, "objects"), { recursive: true });
    await mkdir(join(directory, "data"), { recursive: true });
    await writeState(join(directory, "bucket.json"), bucket);
    const open = this.#buckets.get(`${bucket.partition}/${bucket.name}`);
    if (open) open.bucket = bucket;
    else this.#buckets.set(`${bucket.partition}/${bucket.name}`, { bucket, directory, objects: new Map() });
  }

  async deleteBucket({ partition, name }: Bucket): Promise<void> {
    const open = this.#open(partition, name);
    this.#buckets.delete(`${partition}/${name}`);
    await rm(open.directory, { recursive: true, force: true });
  }

  /** In the order in which S3 lists: by the bytes of the key. */
  objects({ partition, name }: Bucket): readonly StoredObject[] {
    return [...this.#open(partition, name).objects.values()].sort((a, b) =>
      Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)),
    );
  }

  object({ partition, name }: Bucket, key: string): StoredObject | undefined {
    return this.#buckets.get(`${partition}/${name}`)?.objects.get(key);
  }

  /** Where the bytes of an object of this bucket lie. */
  dataPath({ partition, name }: Bucket, file: string): string {
    return join(this.#open(partition, name).directory, "data", file);
  }

  /** Bytes from `start` through `end`, both counted in. */
  read(bucket: Bucket, object: StoredObject, range: { start?: number; end?: number } = {}): Readable {
    return createReadStream(this.dataPath(bucket, object.file), range);
  }

  /** Makes the object what the key stands for; its data file must be in place. */
  async putObject(bucket: Bucket, object: StoredObject): Promise<void> {
    const open = this.#open(bucket.partition, bucket.name);
    await writeState(toMetadataPath(open, object.key), object);
    const old = open.objects.get(object.key);
    open.objects.set(object.key, object);
    if (old && old.file !== object.file) await rm(this.dataPath(bucket, old.file), { force: true });
  }

  async deleteObject(bucket: Bucket, key: string): Promise<void> {
    const open = this.#open(bucket.partition, bucket.name);
    const old = open.objects.get(key);
    if (!old) return;
    open.objects.delete(key);
    await rm(toMetadataPath(open, key), { force: true });
    await rm(this.dataPath(bucket, old.file), { force: true });
  }

  #open(partition: Partition, name: string): OpenBucket {
    const open = this.#buckets.get(`${partition}/${name}`);
    if (!open) throw new Error(`no bucket ${name}`);
    return open;
  }
}

/** Keys may hold anything, also `/` and `..`; file names may not. */
function toMetadataPath(open: OpenBucket, key: string): string {
  return join(open.directory, "objects", `${createHash("sha256").update(key).digest("hex")}.json`);
}
