import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Provider } from "../aws/provider.ts";
import { withFiles } from "../bundle/file-problem.ts";
import { Problem } from "../problem.ts";

/** A file of a bundle on its way to S3; `sha1` is hex. */
export type LocalObject = {
  readonly key: string;
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha1: string;
  readonly contentType: string;
};

/** The type of each part; S3 would say binary/octet-stream. */
export const partType = "application/octet-stream";
export const manifestType = "application/xml";

/**
 * Puts a file, unless S3 has it already with the same size and SHA-1; says whether it was there. A file with another
 * SHA-1 is the Problem `bundle-invalid`, and is not sent.
 */
export async function putFile(
  provider: Provider,
  bucket: string,
  acl: string,
  { key, path, sizeBytes, sha1, contentType }: LocalObject,
  signal: AbortSignal,
): Promise<"put" | "there"> {
  // One that was stored without its SHA-1 counts as another.
  const there = await provider.headObject({ bucket, key }, signal);
  if (there?.sizeBytes === sizeBytes && there.sha1 === sha1) return "there";
  const bytes = await withFiles(`cannot read ${path}`, () => readFile(path));
  const found = sha1Of(bytes);
  if (found !== sha1) {
    throw new Problem("bundle-invalid", `${path} has SHA-1 ${found}, the manifest says ${sha1}`, {
      hint: "it is not of this bundle, or damaged: bundle the image again",
    });
  }
  await provider.putObject({ bucket, key }, { bytes, sha1, contentType, acl }, signal);
  return "put";
}

/** Hex. */
export function sha1Of(bytes: Uint8Array): string {
  return createHash("sha1").update(bytes).digest("hex");
}
