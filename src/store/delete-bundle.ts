import { basename } from "node:path";
import type { Provider } from "../aws/provider.ts";
import type { Manifest } from "../bundle/manifest.ts";
import { openBundle } from "../bundle/opened-bundle.ts";
import { type Place, toKey } from "./address.ts";

/** The objects of a bundle, by their keys, and how much they are together. */
export type Doomed = {
  readonly manifests: readonly string[];
  readonly parts: readonly string[];
  readonly sizeBytes: number;
};

/**
 * What is there of the bundles of this name: `NAME.part.0`, `NAME.manifest.xml` and Amazon's old `NAME.manifest`, and
 * nothing else that begins with the name.
 */
export async function findByName(
  provider: Provider,
  place: Place,
  name: string,
  signal: AbortSignal,
): Promise<Doomed> {
  const start = toKey(place, name);
  const ends = [".manifest.xml", ".manifest"];
  return listed(provider, place, start, signal, (key) => {
    const rest = key.slice(start.length);
    if (ends.includes(rest)) return "manifests";
    return /^\.part\.\d+$/.test(rest) ? "parts" : null;
  });
}

/** What is there of the bundle of a manifest file: the files that it lists, and itself. */
export async function findByManifest(
  provider: Provider,
  place: Place,
  path: string,
  privateKey: string | undefined,
  signal: AbortSignal,
): Promise<Doomed> {
  const { manifest } = await openBundle(path, privateKey === undefined ? {} : { privateKey });
  return findListed(provider, place, basename(path), manifest, signal);
}

/** What is there of a bundle: the files that its manifest lists, and the manifest itself under this name. */
export async function findListed(
  provider: Provider,
  place: Place,
  fileName: string,
  manifest: Manifest,
  signal: AbortSignal,
): Promise<Doomed> {
  const manifestKey = toKey(place, fileName);
  const partKeys = new Set(manifest.image.parts.map(({ fileName }) => toKey(place, fileName)));
  const start = commonStart([manifestKey, ...partKeys]);
  return listed(provider, place, start, signal, (key) => {
    if (key === manifestKey) return "manifests";
    return partKeys.has(key) ? "parts" : null;
  });
}

/**
 * Takes the objects of a bundle away. What is gone already is fine. The manifest goes first, so that nobody registers
 * half of a bundle; or last, so that what is left can be found by it, where no image is registered any more.
 */
export async function deleteBundle(
  provider: Provider,
  { bucket }: Place,
  { manifests, parts }: Doomed,
  signal: AbortSignal,
  manifestGoes: "first" | "last" = "first",
): Promise<void> {
  for (const keys of manifestGoes === "first" ? [manifests, parts] : [parts, manifests])
    if (keys.length > 0) await provider.deleteObjects(bucket, keys, signal);
}

async function listed(
  provider: Provider,
  { bucket }: Place,
  prefix: string,
  signal: AbortSignal,
  kindOf: (key: string) => "manifests" | "parts" | null,
): Promise<Doomed> {
  const found = { manifests: [] as string[], parts: [] as string[] };
  let sizeBytes = 0;
  for await (const object of provider.listObjects({ bucket, prefix }, signal)) {
    const kind = kindOf(object.key);
    if (kind === null) continue;
    found[kind].push(object.key);
    sizeBytes += object.sizeBytes;
  }
  return { ...found, sizeBytes };
}

/** So that a bucket with much else in it need not be listed as a whole. */
function commonStart(keys: readonly string[]): string {
  const [first = "", ...others] = keys;
  let length = first.length;
  for (const key of others) {
    while (!key.startsWith(first.slice(0, length))) length -= 1;
  }
  return first.slice(0, length);
}
