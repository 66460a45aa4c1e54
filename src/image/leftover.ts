import { readFile } from "node:fs/promises";
import type { Account, Cloud } from "../aws/cloud.ts";
import { Problem } from "../problem.ts";
import { toKey, toManifestAddress } from "../store/address.ts";
import { locate, type Seeker } from "../store/locate.ts";
import type { Retiree } from "./retirement.ts";

/** The bundle at this URL as what an image left that is registered no more. */
export async function toLeftover(
  cloud: Cloud,
  url: string,
  {
    id,
    seeker,
    signal,
  }: { readonly id: string | null; readonly seeker: Seeker; readonly signal: AbortSignal },
): Promise<Retiree> {
  const { bucket } = toManifestAddress(url);
  const { account } = await locate(cloud, bucket, seeker, signal);
  return { account, id, name: null, location: toLocation(url), isRegistered: false };
}

/** `bucket/key` of an s3 URL, as EC2 has it: without doubled slashes. */
export function toLocation(url: string): string {
  const { fileName, ...place } = toManifestAddress(url);
  return `${place.bucket}/${toKey(place, fileName)}`;
}

/** The image of this id in the result file of a build: where its bundle was. Undefined: there is none, or no such file. */
export async function findInResult(
  path: string,
  id: string,
  profile: string | undefined,
): Promise<Retiree | undefined> {
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const image = imagesIn(text, path).find(({ imageId }) => imageId === id);
  if (image?.upload?.location == null) return undefined;
  const account: Account = { region: image.region, ...(profile === undefined ? {} : { profile }) };
  return { account, id, name: image.name, location: image.upload.location, isRegistered: false };
}

type ResultImage = {
  readonly imageId: string | null;
  readonly region: string;
  readonly name: string | null;
  readonly upload: { readonly location: string | null } | null;
};

function imagesIn(text: string, path: string): readonly ResultImage[] {
  try {
    const { images } = JSON.parse(text) as { images?: unknown };
    if (!Array.isArray(images)) throw new Error("it has no list of images");
    return images as readonly ResultImage[];
  } catch (cause) {
    throw new Problem("file-unreadable", `${path} is no result of a build`, {
      hint: "name one with --result, or the bundle with --bundle",
      cause,
    });
  }
}
