import { expect, test } from "vitest";
import { newBundleKey } from "../../src/bundle/key.ts";
import { pack } from "../../src/bundle/pack.ts";
import { never, noise } from "./bundled.ts";

const mib = 1024 * 1024;

test("packing 400 MiB takes a fraction of that in memory", async () => {
  const chunk = noise(mib);
  const before = process.memoryUsage().rss;
  let peak = 0;
  // A sixth of it does not compress, so that parts come out; the rest is holes.
  async function* image(): AsyncGenerator<Uint8Array> {
    for (let index = 0; index < 400; index += 1) yield index % 6 === 0 ? chunk : new Uint8Array(mib);
  }
  const packed = await pack(image(), {
    name: "big",
    sizeBytes: 400 * mib,
    key: newBundleKey(),
    level: 1,
    signal: never,
    onPart: () => Promise.resolve(),
    onProgress: () => {
      peak = Math.max(peak, process.memoryUsage().rss);
    },
  });
  expect(packed.parts.length).toBeGreaterThan(6);
  expect(peak - before).toBeLessThan(150 * mib);
});
