import type { BundleKey } from "./key.ts";
import type { OpenedBundle } from "./opened-bundle.ts";
import { unpack } from "./unpack.ts";

/** The first bytes of the image in a bundle, as many as there are. Reads no more parts than it must. */
export async function readBeginning(
  { manifest, openPart }: OpenedBundle,
  key: BundleKey,
  sizeBytes: number,
  signal: AbortSignal,
): Promise<Buffer> {
  const beginning = Buffer.alloc(Math.min(sizeBytes, manifest.image.sizeBytes));
  const enough = new AbortController();
  try {
    await unpack(manifest, {
      key,
      openPart,
      signal: AbortSignal.any([signal, enough.signal]),
      onSegment: async ({ offset, bytes }) => {
        if (offset < beginning.length) beginning.set(bytes.subarray(0, beginning.length - offset), offset);
        if (offset + bytes.length >= beginning.length) enough.abort();
      },
    });
  } catch (error) {
    signal.throwIfAborted();
    if (!enough.signal.aborted) throw error;
  }
  return beginning;
}
