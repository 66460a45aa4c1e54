import { spawnSync } from "node:child_process";
import { createDecipheriv, createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openSparseImage } from "../../src/bundle/sparse-image.ts";
import type { Extent } from "../../src/bundle/tar-header.ts";
import { type Bundled, bundled, never, noise, partsOf, unbundled } from "./bundled.ts";

const gnuTar = String(spawnSync("tar", ["--version"]).stdout).includes("GNU tar");
const [page, kib] = [4096, 1024];

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "imgspec-sparse-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

test("an image with holes anywhere comes back from its sparse bundle, and so does its SHA-256", async () => {
  const run = fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 400_000 }));
  await fc.assert(
    fc.asyncProperty(fc.array(run, { minLength: 1, maxLength: 12 }), async (runs) => {
      const pieces = runs.map(([isZero, length]) => (isZero ? Buffer.alloc(length) : noise(length)));
      const image = Buffer.concat(pieces);
      const { bundle } = await sparseBundle(image);
      const restored = await unbundled(bundle.manifest, bundle.key, partsOf(bundle.parts));
      expect(restored.equals(image)).toBe(true);
      expect(bundle.packed.imageSha256).toBe(createHash("sha256").update(image).digest("hex"));
    }),
    { numRuns: 25 },
  );
});

test("holes begin and end at pages of 4 KiB; a run of zeros of less than 64 KiB is data", async () => {
  const image = Buffer.alloc(3_000_000);
  for (const at of [page * 30 + 17, page * 40, page * 60]) image.write("data", at);
  const { extents } = await sparseBundle(image);
  expect(extents).toEqual([
    { offset: page * 30, sizeBytes: page * 11 },
    { offset: page * 60, sizeBytes: page },
  ]);
});

test("an image without a hole is an ordinary member, one of nothing but holes has no data at all", async () => {
  const dense = await sparseBundle(noise(100_000));
  expect(tarOf(dense.bundle).toString("latin1", 156, 157)).toBe("0");
  const zeros = await sparseBundle(Buffer.alloc(20_000_000));
  expect(zeros.extents).toEqual([]);
  expect(tarOf(zeros.bundle).length).toBe(10_240);
});

test.skipIf(!gnuTar)("GNU tar restores an image with a hundred holes from a sparse bundle", async () => {
  const image = Buffer.alloc(100 * 128 * kib);
  for (let at = 0; at < image.length; at += 128 * kib) noise(page).copy(image, at);
  const { bundle, extents } = await sparseBundle(image);
  expect(extents?.length).toBe(100);
  await writeFile(join(directory, "image.tar"), tarOf(bundle));
  const tar = spawnSync("tar", ["-xSf", "image.tar"], { cwd: directory });
  expect(String(tar.stderr)).toBe("");
  expect((await readFile(join(directory, "web-base"))).equals(image)).toBe(true);
});

async function sparseBundle(
  image: Buffer,
): Promise<{ readonly bundle: Bundled; readonly extents: readonly Extent[] | undefined }> {
  const path = join(directory, "image");
  await writeFile(path, image);
  const { chunks, extents, sizeBytes } = await openSparseImage(path, never);
  return { bundle: await bundled(chunks, { sizeBytes, ...(extents ? { extents } : {}) }), extents };
}

function tarOf({ key, parts }: Bundled): Buffer {
  const decipher = createDecipheriv("aes-128-cbc", key.keyBytes(), key.ivBytes());
  return gunzipSync(Buffer.concat([...parts.map((part) => decipher.update(part)), decipher.final()]));
}
