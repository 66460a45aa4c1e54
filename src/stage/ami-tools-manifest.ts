import type { Provider } from "../aws/provider.ts";
import type { Manifest } from "../bundle/manifest.ts";
import { readManifest } from "../bundle/read-manifest.ts";
import { whyNotWrappedFor } from "../bundle/wrapped-for.ts";
import { elevate } from "../machine/elevate.ts";
import { type HeldMachine, persist } from "../machine/held-machine.ts";
import type { Machine } from "../machine/machine.ts";
import { Problem } from "../problem.ts";
import { readObject } from "../store/read-object.ts";
import type { Certificates } from "./certificates.ts";
import type { StoredPart } from "./upload.ts";

/** A manifest that ec2-bundle-vol has written, and its very bytes. */
export type ToolsManifest = { readonly manifest: Manifest; readonly bytes: Uint8Array };

/** A thousand parts, the most that an image of 10 GiB can have, take a tenth of it. */
const largestBytes = 2 * 1024 * 1024;

/** Reads the manifest of a bundle on the instance, where only root may. */
export async function readRemoteManifest(
  held: HeldMachine,
  path: string,
  signal: AbortSignal,
): Promise<ToolsManifest> {
  const bytes = await persist(held, signal, (machine) => readRemote(machine, path, signal));
  return { manifest: readManifest(bytes.toString("utf8")), bytes };
}

async function readRemote(machine: Machine, path: string, signal: AbortSignal): Promise<Buffer> {
  const { stdout, result } = await machine.stream(elevate(["cat", path]), { signal });
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of stdout) {
    sizeBytes += chunk.length;
    if (sizeBytes > largestBytes) throw new Problem("bundle-invalid", `${path} is too large for a manifest`);
    chunks.push(chunk);
  }
  const { code, stderr } = await result;
  if (code !== 0) {
    throw new Problem(
      "bundle-invalid",
      `ec2-bundle-vol left no manifest: ${stderr.trim() || `exit ${code}`}`,
      {
        hint: "a bundleCommand of your own must use --destination {destination} and --prefix {name}",
      },
    );
  }
  return Buffer.concat(chunks);
}

/** Refuses a bundle that EC2 in this region could not open, as far as that can be told without EC2's private key. */
export function checkManifest(
  { manifest: { image } }: ToolsManifest,
  wanted: { readonly certificates: Certificates; readonly accountId: string; readonly name: string },
): void {
  const { certificates, accountId, name } = wanted;
  const why = whyNotWrappedFor(image.ec2, certificates.ec2);
  if (why !== null) {
    throw new Problem(
      "bundle-invalid",
      `ec2-bundle-vol has not wrapped the bundle for EC2's ${certificates.ec2Name} key: ${why}`,
      { hint: "a bundleCommand of your own must hand on --ec2cert {ec2Certificate}" },
    );
  }
  if (image.user !== accountId) {
    throw new Problem(
      "bundle-invalid",
      `the bundle is of account ${image.user || "none"}, and the build is in ${accountId}: EC2 would refuse to register it`,
      { hint: "a bundleCommand of your own must hand on --user {account}" },
    );
  }
  if (image.name !== name)
    throw new Problem("bundle-invalid", `the bundle is named ${image.name} instead of ${name}`);
}

/**
 * ec2-upload-bundle reports success when S3 has refused every object (its version 1.5.3, seen), so its word counts for
 * nothing: each object must be there, and the manifest be the one that was made.
 */
export async function checkStored(
  provider: Provider,
  bucket: string,
  objects: readonly StoredPart[],
  { bytes }: ToolsManifest,
  signal: AbortSignal,
): Promise<void> {
  const missing: string[] = [];
  for (const { key, sizeBytes } of objects) {
    const stored = await provider.headObject({ bucket, key }, signal);
    if (stored?.sizeBytes !== sizeBytes) missing.push(key);
  }
  const last = objects.at(-1)?.key ?? "";
  if (!missing.includes(last)) {
    const stored = await readObject(provider, { bucket, key: last }, largestBytes, signal);
    if (Buffer.compare(stored, bytes) !== 0) missing.push(last);
  }
  if (missing.length === 0) return;
  const named = missing.slice(0, 3).join(", ") + (missing.length > 3 ? ", …" : "");
  throw new Problem(
    "upload-failed",
    `ec2-upload-bundle ended as if all were well, and ${missing.length} of ${objects.length} objects are not in ${bucket}: ${named}`,
    {
      hint: "S3 may have refused them (403), which the tool does not say: look at the permissions s3:PutObject and s3:PutObjectAcl of whoever uploads, and at the clock of the instance",
    },
  );
}
