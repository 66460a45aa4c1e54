import type { Cloud } from "../aws/cloud.ts";
import { faultOf } from "../aws/fault-problem.ts";
import type { Provider } from "../aws/provider.ts";
import { type ManifestPart, partSizeBytes } from "../bundle/manifest.ts";
import { type OpenedBundle, toOpenedBundle } from "../bundle/opened-bundle.ts";
import type { OpenPart } from "../bundle/part-source.ts";
import { Problem } from "../problem.ts";
import { type Place, toKey, toManifestAddress, toUrl } from "./address.ts";
import { type Located, locate, type Seeker } from "./locate.ts";
import { readObject } from "./read-object.ts";

/** What 100 000 parts need, as for manifest files. */
const largestManifestBytes = 16 * 1024 * 1024;

/** A bundle in S3, and who reaches it. */
export type BundleInS3 = OpenedBundle &
  Located & {
    readonly place: Place;
    readonly fileName: string;
    /** The manifest as it is stored: those from before 2007 are encrypted. */
    readonly stored: Uint8Array;
  };

/** Opens the bundle of a manifest in S3: what `openBundle` does with files. The parts are beside the manifest. */
export async function openBundleInS3(
  cloud: Cloud,
  url: string,
  options: Seeker & { readonly privateKey?: string | undefined; readonly signal: AbortSignal },
): Promise<BundleInS3> {
  const { fileName, ...place } = toManifestAddress(url);
  const located = await locate(cloud, place.bucket, options, options.signal);
  return openAt(located, place, fileName, options);
}

/** The same in a bucket that was found already. */
export async function openAt(
  located: Located,
  place: Place,
  fileName: string,
  { privateKey, signal }: { readonly privateKey?: string | undefined; readonly signal: AbortSignal },
): Promise<BundleInS3> {
  const key = toKey(place, fileName);
  const { provider } = located;
  const stored = await readObject(
    provider,
    { bucket: place.bucket, key },
    largestManifestBytes,
    signal,
  ).catch((cause: unknown) => {
    if (!isMissing(cause)) throw cause;
    throw new Problem("file-unreadable", `there is no ${toUrl(place, key)}`, { cause });
  });
  const opened = toOpenedBundle(stored, partsInS3(provider, place, signal), privateKey);
  return { ...located, ...opened, place, fileName, stored };
}

/** The parts beside a manifest in S3. One that is not there is the bundle's fault, not the store's. */
function partsInS3(provider: Provider, place: Place, signal: AbortSignal): OpenPart {
  return async function* (part) {
    yield await readPartObject(provider, place, part, signal);
  };
}

async function readPartObject(
  provider: Provider,
  place: Place,
  { index, fileName }: ManifestPart,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const where = { bucket: place.bucket, key: toKey(place, fileName) };
  try {
    return await readObject(provider, where, partSizeBytes, signal);
  } catch (cause) {
    if (!isMissing(cause)) throw cause;
    throw new Problem("bundle-invalid", `part ${index} (${fileName}) is missing`, { cause });
  }
}

function isMissing(error: unknown): boolean {
  return faultOf(error)?.code === "NoSuchKey";
}
