import type { Provider } from "../aws/provider.ts";
import type { ManifestPart } from "../bundle/manifest.ts";
import { readPart } from "../bundle/part-source.ts";
import { Problem } from "../problem.ts";
import { regionOf } from "../util/region.ts";
import { type Place, toKey, toUrl } from "./address.ts";
import type { BundleInS3 } from "./bundle-in-s3.ts";
import { inParallel } from "./in-parallel.ts";
import type { Tally } from "./progress.ts";
import { partType, sha1Of } from "./put-file.ts";
import { readObject } from "./read-object.ts";

/** Where parts go, and how. */
export type CopyTarget = {
  readonly provider: Provider;
  readonly place: Place;
  readonly acl: string;
  readonly concurrency: number;
  readonly signal: AbortSignal;
};

/**
 * Copies the parts of a bundle to another place in S3, several at once: within S3 where both are of one partition and
 * S3 allows it, else through this machine. Each is held against its SHA-1; those that are there already are left.
 * Throws `bundle-invalid` for a part that is not as the manifest says.
 */
export async function copyParts(bundle: BundleInS3, target: CopyTarget, tally: Tally): Promise<void> {
  const copy = async (part: ManifestPart, signal: AbortSignal): Promise<void> => {
    const { how, sizeBytes } = await copyPart(bundle, part, { ...target, signal });
    tally.add(part.fileName, how, sizeBytes);
  };
  await inParallel(bundle.manifest.image.parts, target.concurrency, copy, target.signal);
}

type Copied = { readonly how: "copied" | "put" | "there"; readonly sizeBytes: number };

async function copyPart(bundle: BundleInS3, part: ManifestPart, target: CopyTarget): Promise<Copied> {
  const to = { bucket: target.place.bucket, key: toKey(target.place, part.fileName) };
  const there = await target.provider.headObject(to, target.signal);
  if (there?.sha1 === part.sha1) return { how: "there", sizeBytes: there.sizeBytes };
  if (isSamePartition(bundle, target) && (await copied(bundle, part, target))) {
    return { how: "copied", sizeBytes: await checkedSize(part, target) };
  }
  const bytes = await readPart(part, bundle.openPart, target.signal);
  await target.provider.putObject(
    to,
    { bytes, sha1: part.sha1, contentType: partType, acl: target.acl },
    target.signal,
  );
  return { how: "put", sizeBytes: bytes.length };
}

function isSamePartition({ provider }: BundleInS3, target: CopyTarget): boolean {
  return regionOf(provider.region).partition === regionOf(target.provider.region).partition;
}

/** False: the caller of the target may not read the source, which another profile may. */
async function copied(bundle: BundleInS3, part: ManifestPart, target: CopyTarget): Promise<boolean> {
  const from = { bucket: bundle.place.bucket, key: toKey(bundle.place, part.fileName) };
  const to = { bucket: target.place.bucket, key: toKey(target.place, part.fileName) };
  try {
    await target.provider.copyObject({ from, to, acl: target.acl }, target.signal);
    return true;
  } catch (error) {
    if (error instanceof Problem && error.code === "permission-denied") return false;
    throw error;
  }
}

/** The size of a copy, once its SHA-1 is as the manifest says. A store that keeps none makes us read it. */
async function checkedSize(part: ManifestPart, { provider, place, signal }: CopyTarget): Promise<number> {
  const where = { bucket: place.bucket, key: toKey(place, part.fileName) };
  const head = await provider.headObject(where, signal);
  const sha1 = head?.sha1 ?? sha1Of(await readObject(provider, where, head?.sizeBytes ?? 0, signal));
  if (head !== null && sha1 === part.sha1) return head.sizeBytes;
  throw new Problem(
    "bundle-invalid",
    `part ${part.index} (${part.fileName}) has SHA-1 ${sha1}, the manifest says ${part.sha1}`,
    { hint: `delete ${toUrl(place, where.key)}, and see what is wrong with the bundle: imgspec verify` },
  );
}
