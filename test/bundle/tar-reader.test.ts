import { execFileSync, spawnSync } from "node:child_process";
import { createReadStream } from "node:fs";
import { mkdtemp, open, readFile, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readTarHeader, tarTailBytes, toTarHeader } from "../../src/bundle/tar-header.ts";
import { type Segment, toSegments } from "../../src/bundle/tar-reader.ts";
import { noise, toAsync } from "./bundled.ts";

const gnuTar = String(spawnSync("tar", ["--version"]).stdout).includes("GNU tar");
const gib = 1024 ** 3;

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "imgspec-tar-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

test.skipIf(!gnuTar)(
  "a file that GNU tar stored with sixty holes comes back, each piece at its place",
  async () => {
    const offsets = Array.from({ length: 60 }, (_, index) => index * 100 * 4096);
    await writeSparse(offsets, 60 * 100 * 4096);
    const image = Buffer.alloc(60 * 100 * 4096);
    let storedBytes = 0;
    for (const { offset, bytes } of await segmentsOf(tarOf("image"), image.length)) {
      image.set(bytes, offset);
      storedBytes += bytes.length;
    }
    expect(image.equals(await readFile(join(directory, "image")))).toBe(true);
    expect(storedBytes).toBe(60 * 4096);
  },
);

test.each([1, 511, 512, 8 * gib - 1, 8 * gib, 10 * gib])(
  "a header for %i bytes reads the same",
  (sizeBytes) => {
    const header = readTarHeader(Buffer.from(toTarHeader("web-base", sizeBytes, new Date(1e12))));
    expect(header).toMatchObject({ name: "web-base", type: "0", sizeBytes, storedBytes: sizeBytes });
  },
);

test.each([1, 512, 7680, 8192, 8193, 10_240, 3_145_728])(
  "a tar of %i bytes fills whole records",
  (sizeBytes) => {
    const tail = tarTailBytes(sizeBytes);
    expect((512 + sizeBytes + tail) % 10_240).toBe(0);
    expect(tail).toBeGreaterThanOrEqual(1024);
    expect(tail).toBeLessThan(1024 + 512 + 10_240);
  },
);

test.each(["../etc/passwd", "/etc/passwd", "a/b", "..", ""])(
  'a member called "%s" is refused',
  async (name) => {
    await expect(segmentsOf([tarFile(name, noise(10))], 10)).rejects.toMatchObject({
      code: "bundle-invalid",
    });
  },
);

test("a second member is refused", async () => {
  const [first, second] = [tarFile("one", noise(600)), tarFile("two", noise(600))];
  const both = Buffer.concat([first.subarray(0, 512 + 1024), second]);
  await expect(segmentsOf([both], 600)).rejects.toThrow("something follows the image");
});

test.each([
  ["a link", 156, "2", 'its member has type "2"'],
  ["a directory", 156, "5", 'its member has type "5"'],
  ["a header of pax", 156, "x", 'its member has type "x"'],
])("%s is refused", async (_what, at, text, why) => {
  const tar = tarFile("image", noise(10));
  tar.write(text, at);
  await expect(segmentsOf([rechecked(tar)], 10)).rejects.toThrow(why);
});

test("a header with a changed bit is refused", async () => {
  const tar = tarFile("image", noise(10));
  tar.write("9", 3);
  await expect(segmentsOf([tar], 10)).rejects.toThrow("its header has a wrong checksum");
});

test("a stream that is no tar, or ends early, is refused", async () => {
  await expect(segmentsOf([noise(2000)], 10)).rejects.toThrow("it does not begin with a tar header");
  await expect(segmentsOf([], 10)).rejects.toThrow("it does not begin with a tar header");
  const tar = tarFile("image", noise(5000)).subarray(0, 3000);
  await expect(segmentsOf([tar], 5000)).rejects.toThrow("it ends in the middle of the image");
});

test.each([
  [
    "overlap",
    [
      [0, 600],
      [500, 100],
      [1000, 0],
    ],
    700,
    "its sparse map overlaps",
  ],
  ["lead beyond the image", [[900, 200]], 200, "its sparse map leads beyond the image"],
  [
    "hold more than is stored",
    [
      [0, 600],
      [1000, 0],
    ],
    500,
    "its sparse map has 600 bytes, its header 500",
  ],
] as const)("a sparse map whose pieces %s is refused", async (_what, map, storedBytes, why) => {
  const tar = tarFile("image", noise(storedBytes));
  tar.write("S", 156);
  map.forEach(([offset, length], index) => {
    tar.write(`${octal(offset)}\0${octal(length)}\0`, 386 + index * 24);
  });
  tar.write(`${octal(1000)}\0`, 483);
  await expect(segmentsOf([rechecked(tar)], 1000)).rejects.toThrow(why);
});

function tarFile(name: string, content: Buffer): Buffer {
  const header = toTarHeader(name, content.length, new Date(0));
  return Buffer.concat([header, content, Buffer.alloc(tarTailBytes(content.length))]);
}

/** With the checksum that its header now has. */
function rechecked(tar: Buffer): Buffer {
  tar.write("        ", 148);
  const sum = tar.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  tar.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return tar;
}

const octal = (value: number): string => value.toString(8).padStart(11, "0");

async function writeSparse(offsets: readonly number[], sizeBytes: number): Promise<void> {
  await using file = await open(join(directory, "image"), "w");
  for (const offset of offsets) {
    await file.write(noise(4096), 0, 4096, offset);
  }
  await truncate(join(directory, "image"), sizeBytes);
}

function tarOf(name: string): AsyncIterable<Uint8Array> {
  execFileSync("tar", ["-cSf", "image.tar", "--format=gnu", name], { cwd: directory });
  return createReadStream(join(directory, "image.tar"));
}

async function segmentsOf(
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  sizeBytes: number,
): Promise<readonly Segment[]> {
  const segments: Segment[] = [];
  for await (const segment of toSegments(toAsync(chunks), sizeBytes)) segments.push(segment);
  return segments;
}
