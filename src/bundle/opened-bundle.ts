import { open } from "node:fs/promises";
import { dirname } from "node:path";
import { Problem } from "../problem.ts";
import { toManifestText } from "./encrypted-manifest.ts";
import { withFiles } from "./file-problem.ts";
import type { Manifest } from "./manifest.ts";
import { type OpenPart, partsIn } from "./part-source.ts";
import { readManifest } from "./read-manifest.ts";

/** A bundle that lies somewhere: its manifest, read and as it stands, and a way to its parts. */
export type OpenedBundle = {
  readonly manifest: Manifest;
  readonly text: string;
  readonly openPart: OpenPart;
};

/**
 * Opens the bundle of a manifest file. The parts are in the directory `source`, or beside the manifest. The private key
 * is for manifests from before 2007, which are encrypted. Throws `file-unreadable` and `bundle-invalid`.
 */
export async function openBundle(
  path: string,
  options: { readonly source?: string; readonly privateKey?: string } = {},
): Promise<OpenedBundle> {
  const { source = dirname(path), privateKey } = options;
  return toOpenedBundle(await readManifestFile(path), partsIn(source), privateKey);
}

/** The same of a manifest and parts that come from elsewhere. */
export function toOpenedBundle(manifest: Uint8Array, openPart: OpenPart, privateKey?: string): OpenedBundle {
  const text = toManifestText(manifest, privateKey);
  return { manifest: readManifest(text), text, openPart };
}

/** What 100 000 parts need, a bundle of 1 TiB. */
const largestManifestBytes = 16 * 1024 * 1024;

async function readManifestFile(path: string): Promise<Uint8Array> {
  const bytes = await withFiles(`cannot read the manifest ${path}`, () => readStart(path));
  if (bytes.length <= largestManifestBytes) return bytes;
  throw new Problem("bundle-invalid", `${path} is too large to be a manifest`, {
    hint: "name the file NAME.manifest.xml",
  });
}

/** One byte more than a manifest may have at most, so that nobody reads an image by mistake. */
async function readStart(path: string): Promise<Uint8Array> {
  await using file = await open(path, "r");
  const chunks: Buffer[] = [];
  const end = largestManifestBytes;
  for await (const chunk of file.createReadStream({ end, autoClose: false })) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
