import { lstat, mkdir } from "node:fs/promises";
import { resolve } from "node:path";
import { Problem } from "../problem.ts";
import { withFiles } from "./file-problem.ts";
import { openKey } from "./open-key.ts";
import type { OpenedBundle } from "./opened-bundle.ts";
import { checkSignature } from "./signature.ts";
import { writeImage } from "./write-image.ts";

/** What opens a bundle, and where its image goes. */
export type UnbundleOptions = {
  /** PEM, not encrypted: of whoever made the bundle, or EC2's. */
  readonly privateKey: string;
  /** PEM of the supposed signer. Absent: the signature is not looked at. */
  readonly certificate?: string;
  /** A directory, made if it is missing. The image gets the bundle's name, whatever the tar member is called. */
  readonly destination: string;
  /** Overwrites a file of that name. */
  readonly force?: boolean;
  readonly signal: AbortSignal;
  /** Called with the bytes of parts read so far, of `bundledSizeBytes`. */
  onProgress?(doneBytes: number): void;
};

/** An image that was taken out of its bundle; `dataBytes` is what was stored of it, the rest are holes. */
export type UnbundledImage = {
  readonly path: string;
  readonly sizeBytes: number;
  readonly dataBytes: number;
};

/**
 * Writes the image of a bundle to `destination/NAME`, sparse. Only when every digest and size is as the manifest says
 * does it get this name; else it is the Problem `bundle-invalid`, and no file is left.
 */
export async function unbundle(
  { manifest, text, openPart }: OpenedBundle,
  options: UnbundleOptions,
): Promise<UnbundledImage> {
  const { certificate, force = false, signal } = options;
  const path = resolve(options.destination, manifest.image.name);
  if (!force) await expectFree(path);
  if (certificate !== undefined) expectSignature(text, certificate);
  const key = openKey(manifest.image, options.privateKey);
  const directory = resolve(options.destination);
  await withFiles(`cannot make the directory ${directory}`, () => mkdir(directory, { recursive: true }));
  const unpacked = await withFiles(`cannot write the image ${path}`, () =>
    writeImage(manifest, key, openPart, path, {
      signal,
      onProgress: (doneBytes) => options.onProgress?.(doneBytes),
    }),
  );
  return { path, ...unpacked };
}

async function expectFree(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (!found) return;
  throw new Problem("usage-wrong", `${path} exists already`, {
    hint: "overwrite it with --force, or name another directory with --destination",
  });
}

function expectSignature(text: string, certificate: string): void {
  if (checkSignature(text, certificate) !== "none") return;
  throw new Problem("bundle-invalid", "the manifest was not signed with the key of this certificate", {
    hint: "the manifest was changed, or signed by somebody else; without --cert its signature is not looked at",
  });
}
