import { basename } from "node:path";
import type { Provider } from "../aws/provider.ts";
import { openBundle } from "../bundle/opened-bundle.ts";
import { type Place, toKey } from "./address.ts";

/** The objects of a bundle, in the order in which they go: manifests first, so that nobody registers half of one. */
export type Doomed = { readonly manifests: readonly string[]; readonly parts: readonly string[] };

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
  const manifestKey = toKey(place, basename(path));
  const partKeys = new Set(manifest.image.parts.map(({ fileName }) => toKey(place, fileName)));
  const start = commonStart([manifestKey, ...partKeys]);
  return listed(provider, place, start, signal, (key) => {
    if (key === manifestKey) return "manifests";
    return partKeys.has(key) ? "parts" : null;
  });
}

/** Takes the objects of a bundle away, its manifest before all else. What is gone already is fine. */
export async function deleteBundle(
  provider: Provider,
  { bucket }: Place,
  { manifests, parts }: Doomed,
  signal: AbortSignal,
): Promise<void> {
  await provider.deleteObjects(bucket, manifests, signal);
  await provider.deleteObjects(bucket, parts, signal);
}

async function listed(
  provider: Provider,
  { bucket }: Place,
  prefix: string,
  signal: AbortSignal,
  kindOf: (key: string) => keyof Doomed | null,
): Promise<Doomed> {
  const found = { manifests: [] as string[], parts: [] as string[] };
  for await (const { key } of provider.listObjects({ bucket, prefix }, signal)) {
    const kind = kindOf(key);
    if (kind !== null) found[kind].push(key);
  }
  return found;
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
