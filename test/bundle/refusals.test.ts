import { createHash } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { newBundleKey } from "../../src/bundle/key.ts";
import type { BundledImage, Manifest, ManifestPart } from "../../src/bundle/manifest.ts";
import { type OpenPart, partsIn } from "../../src/bundle/part-source.ts";
import { writeImage } from "../../src/bundle/write-image.ts";
import { type Bundled, bundled, never, noise, partsOf, unbundled } from "./bundled.ts";

let whole: Bundled;
let parts: Uint8Array[];
let directory: string;

beforeAll(async () => {
  whole = await bundled([noise(12_000_000)], { sizeBytes: 12_000_000 });
});
beforeEach(async () => {
  parts = whole.parts.map((bytes) => Buffer.from(bytes));
  directory = await mkdtemp(join(tmpdir(), "imgspec-refusals-"));
});
afterEach(() => rm(directory, { recursive: true }));

const refusal = (image: Partial<BundledImage> = {}): Promise<string> =>
  unbundled(
    { ...whole.manifest, image: { ...whole.manifest.image, ...image } },
    whole.key,
    partsOf(parts),
  ).then(
    () => "accepted",
    (error: Error & { code?: string }) => `${error.code}: ${error.message}`,
  );

test("the bundle itself is accepted", async () => {
  expect(await refusal()).toBe("accepted");
});

test("one changed bit in a part is refused, with both digests", async () => {
  const [, second] = parts;
  if (second) second[100] = (second[100] ?? 0) ^ 1;
  const says = whole.manifest.image.parts[1]?.sha1;
  expect(await refusal()).toBe(
    `bundle-invalid: part 1 (web-base.part.1) has SHA-1 ${sha1(second)}, the manifest says ${says}`,
  );
});

test("swapped parts are refused", async () => {
  parts.reverse();
  expect(await refusal()).toMatch(/^bundle-invalid: part 0 \(web-base\.part\.0\) has SHA-1/);
});

test("a part that is missing is refused by name", async () => {
  const openPart = partsIn(directory);
  await expect(unbundled(whole.manifest, whole.key, openPart)).rejects.toMatchObject({
    code: "bundle-invalid",
    message: "part 0 (web-base.part.0) is missing",
  });
});

test("a part that cannot be read is refused with the reason", async () => {
  const openPart: OpenPart = () => Promise.reject(new Error("access denied"));
  await expect(unbundled(whole.manifest, whole.key, openPart)).rejects.toMatchObject({
    code: "bundle-invalid",
    message: "part 0 (web-base.part.0) cannot be read: access denied",
  });
});

test("a part of more than 10 MiB is refused before it is read to its end", async () => {
  const openPart: OpenPart = async function* () {
    for (;;) yield noise(1024 * 1024);
  };
  await expect(unbundled(whole.manifest, whole.key, openPart)).rejects.toThrow(
    "part 0 (web-base.part.0) is larger than 10 MiB",
  );
});

test("a manifest with one part too few is refused", async () => {
  const [first] = whole.manifest.image.parts;
  const only: ManifestPart[] = first ? [first] : [];
  expect(await refusal({ parts: only })).toBe(
    `bundle-invalid: the parts have ${10 * 1024 * 1024} bytes together, the manifest says ${whole.manifest.image.bundledSizeBytes}`,
  );
});

test("another digest of the image is refused", async () => {
  const digest = "0".repeat(40);
  expect(await refusal({ digest })).toBe(
    `bundle-invalid: the tar stream in the bundle has SHA-1 ${whole.manifest.image.digest}, the manifest says ${digest}`,
  );
});

test("another size of the image is refused", async () => {
  expect(await refusal({ sizeBytes: 12_000_001 })).toMatch(
    /^bundle-invalid: .*its member has 12000000 bytes, the manifest says 12000001$/,
  );
});

test("another bundled size is refused", async () => {
  expect(await refusal({ bundledSizeBytes: 5 })).toMatch(
    /^bundle-invalid: the parts have \d+ bytes together, the manifest says 5$/,
  );
});

test("another key is refused", async () => {
  await expect(unbundled(whole.manifest, newBundleKey(), partsOf(parts))).rejects.toMatchObject({
    code: "bundle-invalid",
    message: "the parts do not decrypt to a gzip stream with this key",
  });
});

test("parts that end in the middle of the gzip stream are refused, though the manifest agrees with them", async () => {
  const cut = parts[0] ?? new Uint8Array();
  parts = [cut];
  const manifest = withParts(whole.manifest, parts);
  await expect(unbundled(manifest, whole.key, partsOf(parts))).rejects.toMatchObject({
    code: "bundle-invalid",
    message: "the parts do not decrypt to a gzip stream with this key",
  });
});

test("a refused bundle leaves no file behind", async () => {
  const manifest = { ...whole.manifest, image: { ...whole.manifest.image, digest: "0".repeat(40) } };
  const writing = writeImage(manifest, whole.key, partsOf(parts), join(directory, "image"), {
    signal: never,
  });
  await expect(writing).rejects.toMatchObject({ code: "bundle-invalid" });
  expect(await readdir(directory)).toEqual([]);
});

test("unpacking stops at once when it is aborted, though a part is silent", async () => {
  const controller = new AbortController();
  const reason = new Error("interrupted");
  const openPart: OpenPart = async function* () {
    setImmediate(() => controller.abort(reason));
    yield await new Promise<Uint8Array>(() => undefined);
  };
  const path = join(directory, "image");
  await expect(
    writeImage(whole.manifest, whole.key, openPart, path, { signal: controller.signal }),
  ).rejects.toBe(reason);
});

function withParts(manifest: Manifest, bytes: readonly Uint8Array[]): Manifest {
  return {
    ...manifest,
    image: {
      ...manifest.image,
      bundledSizeBytes: bytes.reduce((sum, { length }) => sum + length, 0),
      parts: bytes.map((part, index) => ({ index, fileName: `web-base.part.${index}`, sha1: sha1(part) })),
    },
  };
}

function sha1(bytes: Uint8Array = new Uint8Array()): string {
  return createHash("sha1").update(bytes).digest("hex");
}
