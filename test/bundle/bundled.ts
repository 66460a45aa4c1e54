import { createCipheriv } from "node:crypto";
import { type BundleKey, newBundleKey } from "../../src/bundle/key.ts";
import type { Manifest } from "../../src/bundle/manifest.ts";
import { type PackedImage, type PackOptions, pack } from "../../src/bundle/pack.ts";
import type { OpenPart } from "../../src/bundle/part-source.ts";
import { readManifest } from "../../src/bundle/read-manifest.ts";
import { type ManifestFacts, toManifest } from "../../src/bundle/to-manifest.ts";
import { unpack } from "../../src/bundle/unpack.ts";
import { ec2Certificate, userCertificate, userPrivateKey } from "./golden.ts";

/** A bundle in memory. */
export type Bundled = {
  readonly packed: PackedImage;
  readonly key: BundleKey;
  readonly parts: readonly Uint8Array[];
  readonly xml: string;
  readonly manifest: Manifest;
};

export const never: AbortSignal = new AbortController().signal;

/** Packs an image that arrives in these chunks. */
export async function bundled(
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  options: Partial<PackOptions> & { sizeBytes: number },
  facts: Partial<ManifestFacts> = {},
): Promise<Bundled> {
  const parts: Uint8Array[] = [];
  const key = options.key ?? newBundleKey();
  const name = options.name ?? "web-base";
  const packed = await pack(toAsync(chunks), {
    name,
    key,
    signal: never,
    level: 1,
    imageDigest: true,
    onPart: async ({ bytes }) => {
      // They are only lent.
      parts.push(Uint8Array.from(bytes));
    },
    ...options,
  });
  const xml = toManifest(packed, { ...plainFacts(name, key), ...facts });
  return { packed, key, parts, xml, manifest: readManifest(xml) };
}

function plainFacts(name: string, key: BundleKey): ManifestFacts {
  return {
    name,
    account: "1234-5678-9012",
    architecture: "x86_64",
    kernel: null,
    ramdisk: null,
    blockDeviceMappings: [],
    key,
    ec2Key: ec2Certificate,
    userCertificate,
    userPrivateKey,
  };
}

/** The image in a bundle, in memory. */
export async function unbundled(manifest: Manifest, key: BundleKey, openPart: OpenPart): Promise<Buffer> {
  const image = Buffer.alloc(manifest.image.sizeBytes);
  await unpack(manifest, {
    key,
    openPart,
    signal: never,
    onSegment: async ({ offset, bytes }) => image.set(bytes, offset),
  });
  return image;
}

/** Parts from memory. */
export function partsOf(parts: readonly Uint8Array[]): OpenPart {
  return async function* ({ index }) {
    const bytes = parts[index];
    if (bytes) yield bytes;
  };
}

/** Bytes that do not compress, the same in every run. */
export function noise(length: number): Buffer {
  const iv = Buffer.alloc(16);
  iv.writeUInt32LE(length);
  return createCipheriv("aes-128-ctr", Buffer.alloc(16), iv).update(Buffer.alloc(length));
}

export async function* toAsync<T>(items: Iterable<T> | AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
  yield* items;
}
