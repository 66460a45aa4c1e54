import type { Account, Cloud } from "../aws/cloud.ts";
import { Problem } from "../problem.ts";
import { type Place, toKey, toManifestAddress } from "../store/address.ts";
import { openAt } from "../store/bundle-in-s3.ts";
import { type Doomed, findByName, findListed } from "../store/delete-bundle.ts";
import { isNoBucket, type Located, locate } from "../store/locate.ts";
import type { BuiltImage } from "./built-image.ts";

/** The objects that are there of an image's bundle. */
export type StoredBundle = Doomed &
  Located & {
    readonly place: Place;
    /** How many parts the manifest lists; null: there is no manifest that can be read. */
    readonly partCount: number | null;
  };

/**
 * What is there of the bundle of a manifest location, `bucket/key`: by its manifest, or, where that is gone or broken, by
 * its name. Null: there is no such bucket, so nothing of it.
 */
export async function findBundle(
  cloud: Cloud,
  account: Account,
  location: string,
  signal: AbortSignal,
): Promise<StoredBundle | null> {
  const { fileName, ...place } = toManifestAddress(location);
  const located = await locate(cloud, place.bucket, account, signal).catch((error: unknown) => {
    if (isNoBucket(error) || isNoBucket(causeOf(error))) return null;
    throw error;
  });
  if (located === null) return null;
  const { provider } = located;
  const read = await readManifestAt(located, place, fileName, signal);
  const manifest = read === "broken" ? null : read;
  const objects =
    manifest === null
      ? await findByName(provider, place, fileName.replace(/\.manifest\.xml$/, ""), signal)
      : await findListed(provider, place, fileName, manifest, signal);
  return { ...located, ...objects, place, partCount: manifest?.image.parts.length ?? null };
}

/** Those of a bundle's objects that other registered images need too, with who needs them. */
export async function findShared(
  bundle: StoredBundle,
  others: readonly BuiltImage[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, BuiltImage>> {
  const shared = new Map<string, BuiltImage>();
  for (const other of others) {
    if (!other.location.endsWith(".xml")) continue;
    const { fileName, ...place } = toManifestAddress(other.location);
    // A manifest lists files beside itself.
    if (place.bucket !== bundle.place.bucket || place.prefix !== bundle.place.prefix) continue;
    const manifest = await readManifestAt(bundle, place, fileName, signal);
    const names = manifest === "broken" ? [] : (manifest?.image.parts ?? []).map((part) => part.fileName);
    // Which parts a broken one lists nobody knows; what lies beside it may be among them.
    const beside = manifest === "broken" ? [...bundle.parts, ...bundle.manifests] : [];
    const keys = [...beside, ...[fileName, ...names].map((name) => toKey(place, name))];
    for (const key of keys) shared.set(key, other);
  }
  return shared;
}

/** Null: there is none. `broken`: what is there cannot be read, such as the claim of a build that was killed. */
async function readManifestAt(
  located: Located,
  place: Place,
  fileName: string,
  signal: AbortSignal,
): Promise<Awaited<ReturnType<typeof openAt>>["manifest"] | "broken" | null> {
  try {
    return (await openAt(located, place, fileName, { signal })).manifest;
  } catch (error) {
    const code = error instanceof Problem ? error.code : undefined;
    if (code === "file-unreadable") return null;
    if (code === "bundle-invalid") return "broken";
    throw error;
  }
}

function causeOf(error: unknown): unknown {
  return error instanceof Problem ? error.cause : undefined;
}
