import { createDecipheriv } from "node:crypto";
import { constants, gunzipSync } from "node:zlib";
import { partSizeBytes } from "../../bundle/manifest.ts";
import { readText } from "../body.ts";
import type { OpenedBundle } from "./bundle-access.ts";

/** Enough of a bundle to hold its tar header, compressed however badly. */
const beginningBytes = 64 * 1024;

/** The permission bits that the bundle's tar gives the image file. */
export async function imageModeOf({ manifest, key, openPart }: OpenedBundle): Promise<number> {
  const [first] = manifest.image.parts;
  if (!first) return 0;
  const bytes = await readText(await openPart(first), partSizeBytes);
  const decipher = createDecipheriv("aes-128-cbc", key.keyBytes(), key.ivBytes());
  const beginning = decipher.update(bytes.subarray(0, beginningBytes));
  const tar = gunzipSync(beginning, { finishFlush: constants.Z_SYNC_FLUSH });
  return Number.parseInt(tar.toString("latin1", 100, 107), 8);
}
