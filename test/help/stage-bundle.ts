import { createHash, randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Bundle } from "../../src/stage/bundle.ts";
import type { UploadInput } from "../../src/stage/upload.ts";
import { account } from "./stage-inputs.ts";

/** Something in a directory that is shaped like a bundle; what is in its parts nobody asks here. */
export async function newSpooled(directory: string, count = 3): Promise<Bundle> {
  await mkdir(directory, { recursive: true });
  const parts = await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const bytes = randomBytes(1000 + index);
      const path = join(directory, String(index));
      await writeFile(path, bytes);
      return { name: `image.part.${index}`, path, sizeBytes: bytes.length, sha1: sha1Of(bytes) };
    }),
  );
  const manifest = Buffer.from(`<m>${randomBytes(2).toString("hex")}</m>`);
  const manifestPath = join(directory, "image.manifest.xml");
  await writeFile(manifestPath, manifest);
  return {
    account,
    name: "image",
    manifestPath,
    manifestSha1: sha1Of(manifest),
    parts,
    isStored: false,
    digest: "0".repeat(40),
    imageSha256: "0".repeat(64),
    sizeBytes: 10_000,
    bundledSizeBytes: 3003,
    ec2Key: "commercial",
    architecture: "x86_64",
    virtualization: "paravirtual",
    kernel: "aki-919dcaf8",
    ramdisk: null,
    blockDeviceMappings: [],
    hygiene: [],
  };
}

export function toUpload(bundle: Bundle, prefix = "web/1"): UploadInput {
  return { bundle, bucket: "acme-images", prefix, acl: "aws-exec-read", concurrency: 2 };
}

function sha1Of(bytes: Uint8Array): string {
  return createHash("sha1").update(bytes).digest("hex");
}
