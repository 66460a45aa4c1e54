import { createCipheriv, createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { newBundleKey } from "../../src/bundle/key.ts";
import type { Manifest } from "../../src/bundle/manifest.ts";
import { readManifest } from "../../src/bundle/read-manifest.ts";
import { tarTailBytes, toTarHeader } from "../../src/bundle/tar-header.ts";
import { noise, partsOf, unbundled } from "./bundled.ts";
import { golden } from "./golden.ts";

const key = newBundleKey();
const image = Buffer.concat([noise(700_000), Buffer.alloc(300_000)]);
const tar = Buffer.concat([
  toTarHeader("image", image.length, new Date(0)),
  image,
  Buffer.alloc(tarTailBytes(image.length)),
]);

test("a gzip stream of several members, as parallel compressors write it, is one image", async () => {
  const members = [tar.subarray(0, 400_000), tar.subarray(400_000)].map((piece) => gzipSync(piece));
  expect((await unbundle([encrypt(Buffer.concat(members))])).equals(image)).toBe(true);
});

test("parts may be cut anywhere, and the last may be empty, as euca2ools leaves it", async () => {
  const cipherText = encrypt(gzipSync(tar));
  const parts = [cipherText.subarray(0, 1001), cipherText.subarray(1001), Buffer.alloc(0)];
  expect((await unbundle(parts)).equals(image)).toBe(true);
});

test("a header without owner names, as other tools write it, is accepted", async () => {
  const plain = Buffer.from(tar).fill(0, 265, 329).fill(0, 148, 156);
  const sum = plain.subarray(0, 512).reduce((total, byte) => total + byte, 8 * 0x20);
  plain.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  expect((await unbundle([encrypt(gzipSync(plain))], plain)).equals(image)).toBe(true);
});

test("padding that is not whole is refused", async () => {
  const cipherText = encrypt(gzipSync(tar));
  await expect(unbundle([cipherText.subarray(0, -1)])).rejects.toMatchObject({ code: "bundle-invalid" });
  await expect(unbundle([cipherText.subarray(0, -16)])).rejects.toMatchObject({ code: "bundle-invalid" });
});

test("an image that goes on behind what the manifest says is refused, however much it is", async () => {
  const more = Buffer.concat([tar, Buffer.alloc(3 * 1024 * 1024)]);
  await expect(unbundle([encrypt(gzipSync(more))], more)).rejects.toThrow("it does not end after the image");
});

function encrypt(bytes: Buffer): Buffer {
  const cipher = createCipheriv("aes-128-cbc", key.keyBytes(), key.ivBytes());
  return Buffer.concat([cipher.update(bytes), cipher.final()]);
}

function unbundle(parts: readonly Buffer[], stream = tar): Promise<Buffer> {
  const base = readManifest(golden("euca/small/small.img.manifest.xml"));
  const manifest: Manifest = {
    ...base,
    image: {
      ...base.image,
      digest: sha1(stream),
      sizeBytes: image.length,
      bundledSizeBytes: parts.reduce((sum, { length }) => sum + length, 0),
      parts: parts.map((bytes, index) => ({ index, fileName: `image.part.${index}`, sha1: sha1(bytes) })),
    },
  };
  return unbundled(manifest, key, partsOf(parts));
}

function sha1(bytes: Uint8Array): string {
  return createHash("sha1").update(bytes).digest("hex");
}
