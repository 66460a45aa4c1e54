import { mkdtemp, open, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { writeImage } from "../../src/bundle/write-image.ts";
import { type Bundled, bundled, never, noise, partsOf } from "./bundled.ts";

const gib = 1024 ** 3;
const sizeBytes = 9 * gib;

/** Beyond 8 GiB a tar header has no octal digits left for what it says. */
const data = noise(3 * 1024 * 1024);
const offsets = [0, 4 * gib, 8 * gib + 4096, 9 * gib - data.length];

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "imgspec-large-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

test("an image of nine GiB, nearly all of it holes, goes into a bundle of two parts and comes back", async () => {
  const bundle = await largeBundle();
  expect(bundle.packed.parts.length).toBe(2);
  const path = join(directory, "image");
  await writeImage(bundle.manifest, bundle.key, partsOf(bundle.parts), path, { signal: never });
  await expectImage(path);
}, 60_000);

async function largeBundle(): Promise<Bundled> {
  const extents = offsets.map((offset) => ({ offset, sizeBytes: data.length }));
  return bundled(
    extents.map(() => data),
    { sizeBytes, extents },
  );
}

async function expectImage(path: string): Promise<void> {
  const { size, blocks } = await stat(path);
  expect(size).toBe(sizeBytes);
  expect(blocks * 512).toBeLessThan(20_000_000);
  await using file = await open(path, "r");
  for (const offset of offsets) {
    const { buffer } = await file.read(Buffer.alloc(data.length), 0, data.length, offset);
    expect(buffer.equals(data)).toBe(true);
  }
}
