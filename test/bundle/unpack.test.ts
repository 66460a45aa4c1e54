import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { partsIn } from "../../src/bundle/part-source.ts";
import { readManifest } from "../../src/bundle/read-manifest.ts";
import { unwrapKey } from "../../src/bundle/wrap.ts";
import { writeImage } from "../../src/bundle/write-image.ts";
import { ec2PrivateKey, golden, goldenPath, smallImageSha256, userPrivateKey, vectors } from "./golden.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "imgspec-unpack-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const { signal } = new AbortController();

test.each(Object.entries(vectors))("the owner and EC2 both find the key of %s", (path, vector) => {
  const { image } = readManifest(golden(path));
  for (const key of [unwrapKey(image.owner, userPrivateKey), unwrapKey(image.ec2, ec2PrivateKey)]) {
    expect([key.keyHex(), key.ivHex()]).toEqual([vector.aes_key_hex, vector.aes_iv_hex]);
  }
});

test.each(Object.entries(vectors))("the manifest of %s says what its parts are", (path, vector) => {
  const { image } = readManifest(golden(path));
  expect([image.digest, image.sizeBytes, image.bundledSizeBytes, image.parts]).toEqual([
    vector.image_digest_sha1_of_tar,
    vector.size,
    vector.bundled_size,
    vector.parts.map(({ filename, sha1 }, index) => ({ index, fileName: filename, sha1 })),
  ]);
});

test.each(Object.keys(vectors))("the image in %s comes back byte for byte, with its holes", async (path) => {
  const manifest = readManifest(golden(path));
  const key = unwrapKey(manifest.image.owner, userPrivateKey);
  const target = join(directory, "image");
  const unpacked = await writeImage(manifest, key, partsIn(dirname(goldenPath(path))), target, { signal });
  const restored = await readFile(target);
  expect(createHash("sha256").update(restored).digest("hex")).toBe(smallImageSha256);
  expect((await stat(target)).blocks * 512).toBeLessThan(200_000);
  expect(await readdir(directory)).toEqual(["image"]);
  // Amazon's tool leaves the holes out of the bundle, euca2ools does not.
  expect(unpacked).toEqual({ sizeBytes: 3_145_728, dataBytes: path.startsWith("euca") ? 3_145_728 : 81_920 });
});
