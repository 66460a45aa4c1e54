import { execFileSync, spawnSync } from "node:child_process";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { BufferRing } from "../../src/bundle/buffer-ring.ts";
import { type Block, blockBytes } from "../../src/bundle/deflate-threads.ts";
import { gzip } from "../../src/bundle/gzip.ts";
import { noise } from "./bundled.ts";

const levels = [1, 2, 3, 4, 5, 6, 7, 8, 9];
const oddLengths = [0, 1, 2, 3, 4, 5, 8, 13, 31, 54, 60, 257, 4999, 32_767, 32_768, 32_769];
const bigLengths = [blockBytes - 1, blockBytes];
const hasGzip = spawnSync("gzip", ["--version"]).error === undefined;

/** Few kinds of bytes, so that blocks have something in common. */
const fillings: Record<string, (length: number) => Buffer> = {
  zeros: (length) => Buffer.alloc(length),
  noise: (length) => noise(length),
  "the same noise": (length) => noise(blockBytes).subarray(0, length),
  text: (length) => Buffer.alloc(length, "Nothing in it is new, and much of it is said again and again. "),
  words: (length) => Buffer.from(noise(length).map((byte) => 97 + (byte % 5))),
};

const block = fc
  .record({
    filling: fc.constantFrom(...Object.keys(fillings)),
    length: fc.oneof(
      { weight: 4, arbitrary: fc.integer({ min: 0, max: 60 }) },
      { weight: 4, arbitrary: fc.constantFrom(...oddLengths) },
      { weight: 1, arbitrary: fc.constantFrom(...bigLengths) },
    ),
  })
  .map(({ filling, length }) => fillings[filling]?.(length) ?? Buffer.alloc(0));

test.each(levels)("at level %i, blocks of any content and length are one gzip member", async (level) => {
  await fc.assert(
    fc.asyncProperty(fc.array(block, { maxLength: 12 }), async (blocks) => {
      expect(gunzipSync(await gzipped(blocks, level)).equals(Buffer.concat(blocks))).toBe(true);
    }),
    { numRuns: 8 },
  );
});

test.each(levels)("at level %i, gzip finds nothing wrong with blocks of every odd length", async (level) => {
  const blocks = [...oddLengths, ...bigLengths].flatMap((length) =>
    Object.values(fillings).map((filling) => filling(length)),
  );
  const bytes = await gzipped(blocks, level);
  expect(gunzipSync(bytes).equals(Buffer.concat(blocks))).toBe(true);
  if (hasGzip) execFileSync("gzip", ["-t"], { input: bytes });
});

test("a block is deflated behind the one before it, over which it may say nothing new", async () => {
  const some = noise(20_000);
  for (const level of levels) {
    const once = (await gzipped([some], level)).length;
    const twice = (await gzipped([some, some], level)).length;
    expect(twice - once).toBeLessThan(1000);
  }
});

test("zeros, and what is said over and over, cost next to nothing", async () => {
  const zeros = Array.from({ length: 20 }, () => Buffer.alloc(blockBytes));
  expect((await gzipped(zeros, 4)).length).toBeLessThan(20 * 1000);
  const pattern = noise(1024);
  const over = Array.from({ length: 20 }, () => Buffer.alloc(blockBytes, pattern));
  expect((await gzipped(over, 4)).length).toBeLessThan(20 * 3000);
});

test("a source that fails between blocks ends the threads, and its error is the only one", async () => {
  async function* failing(ring: BufferRing): AsyncGenerator<{ bytes: Block }> {
    yield { bytes: ring.take() };
    throw new Error("connection lost");
  }
  await expect(collect((ring) => failing(ring), 4)).rejects.toThrow("connection lost");
});

/** With few blocks in flight, so that all memory is used over and over. */
function gzipped(blocks: readonly Buffer[], level: number): Promise<Buffer> {
  return collect(async function* (ring) {
    for (const bytes of blocks) {
      const taken = ring.take().subarray(0, bytes.length);
      taken.set(bytes);
      yield { bytes: taken };
    }
  }, level);
}

async function collect(
  toBlocks: (ring: BufferRing) => AsyncIterable<{ readonly bytes: Block }>,
  level: number,
): Promise<Buffer> {
  const inFlight = 3;
  const ring = new BufferRing(new SharedArrayBuffer((inFlight + 1) * blockBytes), blockBytes);
  const options = { level, inFlight, threads: 2, memory: ring.memory, seeing: () => Promise.resolve() };
  const chunks: Uint8Array[] = [];
  for await (const chunk of gzip(toBlocks(ring), options)) chunks.push(Uint8Array.from(chunk));
  return Buffer.concat(chunks);
}
