import { readFile, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Cloud } from "../aws/cloud.ts";
import type { ObjectName, Provider, StoredObject } from "../aws/provider.ts";
import { withFiles } from "../bundle/file-problem.ts";
import { openBundle } from "../bundle/opened-bundle.ts";
import { Problem } from "../problem.ts";
import { type Place, toKey, toUrl } from "./address.ts";
import { inParallel } from "./in-parallel.ts";
import { type Listener, Tally } from "./progress.ts";
import { type LocalObject, manifestType, partType, putFile, sha1Of } from "./put-file.ts";
import { readObject } from "./read-object.ts";
import { type TargetOptions, toTarget } from "./target.ts";

/** A bundle of files, and where it goes. */
export type UploadOptions = TargetOptions &
  Listener & {
    readonly manifestPath: string;
    readonly place: Place;
    /** Where the parts are; absent: beside the manifest. */
    readonly directory?: string | undefined;
    /** For a manifest from before 2007, PEM. */
    readonly privateKey?: string | undefined;
    /** Only the parts from this index on. */
    readonly firstPart?: number | undefined;
    readonly skipManifest?: boolean | undefined;
    /** Takes the place of another bundle whose manifest is there. */
    readonly replace?: boolean | undefined;
    readonly concurrency: number;
    readonly signal: AbortSignal;
  };

/** A bundle that is in S3. */
export type Uploaded = {
  readonly bucket: string;
  readonly region: string;
  /** What RegisterImage is given: `bucket/key`. Null when the manifest was left out. */
  readonly location: string | null;
  readonly bucketCreated: boolean;
  readonly uploaded: number;
  readonly alreadyThere: number;
  readonly sizeBytes: number;
};

/**
 * Puts the bundle of a manifest file into S3: every part, several at once and skipping those that S3 has with the same
 * size and SHA-1, and the manifest last. Nothing is sent before every part was found to be there.
 */
export async function uploadBundle(cloud: Cloud, options: UploadOptions): Promise<Uploaded> {
  const { place, acl, concurrency, signal } = options;
  const parts = await toPartObjects(options);
  const manifest = await toManifestObject(options);
  const { provider, bucket, isNew } = await toTarget(cloud, place.bucket, options, signal);
  await makeWay(provider, options, manifest);
  const objects = options.skipManifest ? parts : [...parts, manifest];
  const sizeBytes = objects.reduce((sum, object) => sum + object.sizeBytes, 0);
  const tally = new Tally(options, sizeBytes);
  const put = async (object: LocalObject, either: AbortSignal): Promise<void> => {
    const how = await putFile(provider, place.bucket, acl, object, either);
    tally.add(basename(object.key), how, object.sizeBytes);
  };
  await inParallel(parts, concurrency, put, signal);
  // Who sees the manifest may rely on every part being there.
  if (!options.skipManifest) await put(manifest, signal);
  return {
    bucket: place.bucket,
    region: bucket.region,
    location: options.skipManifest ? null : `${place.bucket}/${manifest.key}`,
    bucketCreated: isNew,
    uploaded: tally.moved,
    alreadyThere: tally.there,
    sizeBytes,
  };
}

async function toPartObjects(options: UploadOptions): Promise<readonly LocalObject[]> {
  const { manifestPath, directory = dirname(manifestPath), privateKey, firstPart = 0, place } = options;
  const { manifest } = await openBundle(manifestPath, privateKey === undefined ? {} : { privateKey });
  const { parts } = manifest.image;
  if (firstPart >= parts.length) {
    throw new Problem("usage-wrong", `the bundle has no part ${firstPart}: its last is ${parts.length - 1}`);
  }
  const objects: LocalObject[] = [];
  for (const { index, fileName, sha1 } of parts.slice(firstPart)) {
    const path = join(directory, fileName);
    const { size } = await withFiles(`part ${index} (${fileName}) cannot be read`, () => stat(path));
    objects.push({ key: toKey(place, fileName), path, sizeBytes: size, sha1, contentType: partType });
  }
  return objects;
}

async function toManifestObject({ manifestPath, place }: UploadOptions): Promise<LocalObject> {
  const bytes = await withFiles(`cannot read the manifest ${manifestPath}`, () => readFile(manifestPath));
  return {
    key: toKey(place, basename(manifestPath)),
    path: manifestPath,
    sizeBytes: bytes.length,
    sha1: sha1Of(bytes),
    contentType: manifestType,
  };
}

/** EC2 reads a bundle whenever its image is launched: who overwrites its parts breaks the image. */
async function makeWay(provider: Provider, options: UploadOptions, manifest: LocalObject): Promise<void> {
  const { place, replace = false, signal } = options;
  const where = { bucket: place.bucket, key: manifest.key };
  const there = await provider.headObject(where, signal);
  if (there === null || (await isSame(provider, where, there, manifest, signal))) return;
  if (!replace) {
    throw new Problem("bucket-unusable", `there is another bundle at ${toUrl(place, manifest.key)}`, {
      hint: "an image may need it: use another prefix, or replace it with --replace",
    });
  }
  // Until the new one stands there is none: no manifest is ever beside parts of another bundle.
  if (!options.skipManifest) await provider.deleteObject(where, signal);
}

/** Other tools store a manifest without its SHA-1. */
async function isSame(
  provider: Provider,
  where: ObjectName,
  there: StoredObject,
  { sizeBytes, sha1 }: LocalObject,
  signal: AbortSignal,
): Promise<boolean> {
  if (there.sizeBytes !== sizeBytes) return false;
  if (there.sha1 !== null) return there.sha1 === sha1;
  return sha1Of(await readObject(provider, where, sizeBytes, signal)) === sha1;
}
