import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { newBundleKey } from "../../src/bundle/key.ts";
import { pack, partName } from "../../src/bundle/pack.ts";
import { type Bundled, bundled, never, noise, partsOf, unbundled } from "./bundled.ts";

const partBytes = 10 * 1024 * 1024;

test.each([
  [1, 0, "web.part.0"],
  [3, 2, "web.part.2"],
  [9, 8, "web.part.8"],
  [10, 9, "web.part.09"],
  [11, 10, "web.part.10"],
  [100, 7, "web.part.007"],
])("of %i parts, part %i is called %s", (count, index, name) => {
  expect(partName("web", index, count)).toBe(name);
});

test("an image of any size, in chunks of any size, comes back from its bundle", async () => {
  const run = fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 1_500_000 }));
  const image = fc
    .array(run, { minLength: 1, maxLength: 6 })
    .map((runs) =>
      Buffer.concat(runs.map(([isZero, length]) => (isZero ? Buffer.alloc(length) : noise(length)))),
    );
  await fc.assert(
    fc.asyncProperty(image, fc.integer({ min: 1000, max: 3_000_000 }), async (bytes, chunkBytes) => {
      const bundle = await bundled(chunksOf(bytes, chunkBytes), { sizeBytes: bytes.length });
      const restored = await unbundled(bundle.manifest, bundle.key, partsOf(bundle.parts));
      expect(restored.equals(bytes)).toBe(true);
      expect(bundle.packed.imageSha256).toBe(createHash("sha256").update(bytes).digest("hex"));
    }),
    { numRuns: 25 },
  );
});

test("a source may use its chunk again as soon as the next is asked for", async () => {
  const chunk = Buffer.alloc(100_000);
  async function* source(): AsyncGenerator<Uint8Array> {
    for (let value = 1; value <= 30; value += 1) yield chunk.fill(value);
  }
  const bundle = await bundled(source(), { sizeBytes: 3_000_000 });
  const restored = await unbundled(bundle.manifest, bundle.key, partsOf(bundle.parts));
  expect(restored.subarray(0, 100_000).every((byte) => byte === 1)).toBe(true);
  expect(restored.subarray(-100_000).every((byte) => byte === 30)).toBe(true);
});

test("an image that says the same over and over comes back too", async () => {
  const mib = 1024 * 1024;
  const pattern = noise(mib / 2);
  const pieces = [
    pattern,
    pattern,
    pattern,
    pattern,
    Buffer.alloc(mib),
    pattern,
    Buffer.alloc(12 * mib, 0xff),
  ];
  const image = Buffer.concat([...pieces, noise(1000)]);
  const bundle = await bundled([image], { sizeBytes: image.length });
  const restored = await unbundled(bundle.manifest, bundle.key, partsOf(bundle.parts));
  expect(restored.equals(image)).toBe(true);
});

test("parts are 10 MiB but for the last, and their sizes add up", async () => {
  const sizeBytes = 25 * 1024 * 1024;
  const { packed, parts } = await bundled([noise(sizeBytes)], { sizeBytes });
  expect(packed.parts.map(({ index }) => index)).toEqual([0, 1, 2]);
  expect(packed.parts.map((part) => part.sizeBytes)).toEqual(parts.map(({ length }) => length));
  expect(packed.parts.slice(0, 2).map((part) => part.sizeBytes)).toEqual([partBytes, partBytes]);
  expect(packed.bundledSizeBytes).toBe(parts.reduce((sum, { length }) => sum + length, 0));
  expect(packed.parts.map(({ sha1 }) => sha1)).toEqual(
    parts.map((bytes) => createHash("sha1").update(bytes).digest("hex")),
  );
});

test("cipher text of exactly 10 MiB is one part, with no empty one behind it", async () => {
  const { image, bundle } = await exactlyOnePart();
  expect(bundle.packed.parts.map(({ sizeBytes }) => sizeBytes)).toEqual([partBytes]);
  const restored = await unbundled(bundle.manifest, bundle.key, partsOf(bundle.parts));
  expect(restored.equals(image)).toBe(true);
});

test.each([
  ["ends after 999 bytes of the 1000 announced", 1000],
  ["has more than the 998 bytes announced", 998],
])("an image that %s is refused", async (why, sizeBytes) => {
  await expect(bundled([noise(999)], { sizeBytes })).rejects.toMatchObject({
    code: "bundle-invalid",
    message: `the image ${why}`,
  });
});

test.each(["", "..", "a/b", "x".repeat(100)])('"%s" cannot be the name of a bundle', async (name) => {
  await expect(bundled([noise(10)], { sizeBytes: 10, name })).rejects.toMatchObject({ code: "usage-wrong" });
});

test("a source that fails ends the packing with its error", async () => {
  async function* source(): AsyncGenerator<Uint8Array> {
    yield noise(5_000_000);
    throw new Error("connection lost");
  }
  await expect(bundled(source(), { sizeBytes: 9_000_000 })).rejects.toThrow("connection lost");
});

test("a part that cannot be kept ends the packing, and the source is closed", async () => {
  let closed = false;
  async function* source(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield noise(1024 * 1024);
    } finally {
      closed = true;
    }
  }
  const packing = pack(source(), {
    name: "web",
    sizeBytes: 10 ** 10,
    key: newBundleKey(),
    signal: never,
    onPart: () => Promise.reject(new Error("disk full")),
  });
  await expect(packing).rejects.toThrow("disk full");
  expect(closed).toBe(true);
});

test("packing stops at once when it is aborted, though the source is silent", async () => {
  const controller = new AbortController();
  const reason = new Error("interrupted");
  async function* silent(): AsyncGenerator<Uint8Array> {
    yield noise(10);
    setImmediate(() => controller.abort(reason));
    await new Promise(() => undefined);
  }
  await expect(bundled(silent(), { sizeBytes: 100, signal: controller.signal })).rejects.toBe(reason);
});

test("progress counts the image's bytes up to its size", async () => {
  const seen: number[] = [];
  const chunks = [noise(400), noise(300), noise(300)];
  await bundled(chunks, { sizeBytes: 1000, onProgress: (done) => seen.push(done) });
  expect(seen).toEqual([400, 700, 1000]);
});

/** Noise of the length that makes the cipher text just fill a part. */
async function exactlyOnePart(): Promise<{ image: Buffer; bundle: Bundled }> {
  const bytes = noise(partBytes);
  let sizeBytes = partBytes - 10_000;
  for (let attempt = 0; attempt < 30; attempt += 1) {
    const image = bytes.subarray(0, sizeBytes);
    const bundle = await bundled([image], { sizeBytes });
    const missing = partBytes - bundle.packed.bundledSizeBytes;
    if (missing === 0) return { image, bundle };
    // Less than is missing, since a few bytes more can cost deflate a new block.
    sizeBytes += Math.trunc(missing / 2);
  }
  throw new Error("no such length was found");
}

function* chunksOf(bytes: Buffer, chunkBytes: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
}
