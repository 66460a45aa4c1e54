import fc from "fast-check";
import { expect, test } from "vitest";
import { ImageBlocks } from "../../src/bundle/image-blocks.ts";
import type { Segment } from "../../src/bundle/tar-reader.ts";

const blockBytes = 16;

test("blocks have the image's bytes, however its segments lie, and none is zero", async () => {
  const pieces = fc.array(
    fc.record({ gap: fc.nat(40), bytes: fc.uint8Array({ minLength: 1, maxLength: 50, max: 2 }) }),
    { maxLength: 8 },
  );
  await fc.assert(
    fc.asyncProperty(pieces, async (given) => {
      const segments: Segment[] = [];
      let end = 0;
      for (const { gap, bytes } of given) {
        segments.push({ offset: end + gap, bytes });
        end += gap + bytes.length;
      }
      const image = Buffer.alloc(Math.ceil(end / blockBytes) * blockBytes);
      for (const { offset, bytes } of segments) image.set(bytes, offset);
      const written = await cut(segments);
      const indexes = written.map(({ index }) => index);
      expect(indexes).toEqual([...new Set(indexes)].sort((a, b) => a - b));
      expect(written.every(({ bytes }) => bytes.some((byte) => byte !== 0))).toBe(true);
      const seen = Buffer.alloc(image.length);
      for (const { index, bytes } of written) seen.set(bytes, index * blockBytes);
      expect(seen).toEqual(image);
    }),
  );
});

async function cut(segments: readonly Segment[]) {
  const written: { index: number; bytes: Buffer }[] = [];
  // Memory is used again, with what it held before.
  const buffer = Buffer.alloc(blockBytes, 0xff);
  const blocks = new ImageBlocks(blockBytes, {
    buffer: () => Promise.resolve(buffer),
    put: (index, bytes) => void written.push({ index, bytes: Buffer.from(bytes) }),
  });
  for (const segment of segments) await blocks.add(segment);
  blocks.end();
  return written;
}
