import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import { gunzipSync, gzipSync } from "node:zlib";
import { CreateBucketCommand, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { type BundleKey, newBundleKey } from "../../src/bundle/key.ts";
import { partSizeBytes } from "../../src/bundle/manifest.ts";
import { type PackedImage, pack, partName } from "../../src/bundle/pack.ts";
import { toManifest } from "../../src/bundle/to-manifest.ts";
import { newUserCertificate } from "../../src/bundle/user-certificate.ts";
import type { Emulator } from "../../src/emulator/emulator.ts";
import type { CertificateVariant } from "../../src/util/region.ts";

export const Bucket = "acme-bundles";
export const location: string = `${Bucket}/web/web.manifest.xml`;

/** A bundle of two parts that nobody has stored yet. */
export type TestBundle = {
  readonly image: Buffer;
  readonly parts: readonly Uint8Array[];
  readonly packed: PackedImage;
  readonly key: BundleKey;
};

/** Bundles eleven megabytes that do not compress. */
export async function newBundle(): Promise<TestBundle> {
  const image = Buffer.concat([randomBytes(11 * 1024 * 1024), Buffer.alloc(1024 * 1024)]);
  const key = newBundleKey();
  const parts: Uint8Array[] = [];
  const packed = await pack(toChunks(image), {
    name: "web",
    sizeBytes: image.length,
    key,
    signal: AbortSignal.timeout(60_000),
    onPart: async ({ bytes }) => {
      parts.push(Uint8Array.from(bytes));
    },
  });
  return { image, parts, packed, key };
}

async function* toChunks(image: Buffer): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < image.length; at += 1024 * 1024) yield image.subarray(at, at + 1024 * 1024);
}

const user = await newUserCertificate();

/** Its manifest, for the account and one of the keys of an emulator. */
export function manifestOf(
  { packed, key }: TestBundle,
  { cloud, accountId }: Emulator,
  options: { readonly variant?: CertificateVariant; readonly account?: string } = {},
): string {
  return toManifest(packed, {
    name: "web",
    account: options.account ?? accountId,
    architecture: "x86_64",
    kernel: null,
    ramdisk: null,
    blockDeviceMappings: [
      { virtual: "ami", device: "sda" },
      { virtual: "root", device: "/dev/sda1" },
      { virtual: "ephemeral0", device: "sdb" },
    ],
    key,
    ec2Key: cloud.ec2Certificates?.[options.variant ?? "commercial"] ?? "",
    userCertificate: user.certificate,
    userPrivateKey: user.privateKey,
  });
}

export async function makeBucket(s3: S3Client): Promise<void> {
  await s3.send(new CreateBucketCommand({ Bucket, ObjectOwnership: "BucketOwnerPreferred" }));
}

/** Stores parts and manifest as EC2 wants them; `acls` says what differs. */
export async function store(
  s3: S3Client,
  { parts }: TestBundle,
  manifest: string,
  acls: { readonly manifest?: "private" | "public-read"; readonly parts?: "private" } = {},
): Promise<void> {
  for (const [index, Body] of parts.entries()) {
    const Key = `web/${partName("web", index, parts.length)}`;
    await s3.send(new PutObjectCommand({ Bucket, Key, Body, ACL: acls.parts ?? "aws-exec-read" }));
  }
  await storeManifest(s3, manifest, acls.manifest);
}

export async function storeManifest(
  s3: S3Client,
  manifest: string,
  ACL: "private" | "public-read" | "aws-exec-read" = "aws-exec-read",
): Promise<void> {
  await s3.send(new PutObjectCommand({ Bucket, Key: "web/web.manifest.xml", Body: manifest, ACL }));
}

/** The same bundle, but its tar says that the image may not be written. */
export function toReadOnly({ image, parts, packed, key }: TestBundle): TestBundle {
  const decipher = createDecipheriv("aes-128-cbc", key.keyBytes(), key.ivBytes());
  const tar = gunzipSync(Buffer.concat([...parts.map((part) => decipher.update(part)), decipher.final()]));
  // 0444 instead of 0644: one octal digit less, by two.
  tar.write("0000444\0", 100, "latin1");
  const sum = Number.parseInt(tar.toString("latin1", 148, 154), 8) - 2;
  tar.write(sum.toString(8).padStart(6, "0"), 148, "latin1");
  const cipher = createCipheriv("aes-128-cbc", key.keyBytes(), key.ivBytes());
  const bundled = Buffer.concat([cipher.update(gzipSync(tar)), cipher.final()]);
  const cut = [bundled.subarray(0, partSizeBytes), bundled.subarray(partSizeBytes)];
  const sha1 = (bytes: Uint8Array): string => createHash("sha1").update(bytes).digest("hex");
  return {
    image,
    key,
    parts: cut,
    packed: {
      ...packed,
      digest: sha1(tar),
      bundledSizeBytes: bundled.length,
      parts: cut.map((bytes, index) => ({ index, sizeBytes: bytes.length, sha1: sha1(bytes) })),
    },
  };
}
