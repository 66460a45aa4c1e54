import type { Manifest } from "./manifest.ts";

/** A part on its way to where the bundle will be. */
export type BundlePart = { readonly index: number; readonly bytes: Uint8Array; readonly sha1: string };

/**
 * Where a bundle goes: a directory, a bucket. Parts come in order and each is waited for; afterwards its bytes may be used
 * for another. Until `finish` has resolved
 * there is no bundle: disposing of the sink before that takes everything back.
 */
export type BundleSink = AsyncDisposable & {
  /** How it calls a part. Absent: as Amazon's tools do, which takes the count of the parts. */
  partName?(index: number): string;
  writePart(part: BundlePart): Promise<void>;
  /** All parts are there: gives them their names, and puts the manifest beside them, last. */
  finish(manifest: Manifest, text: string): Promise<void>;
};
