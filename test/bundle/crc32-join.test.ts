import { crc32 } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { joinCrc32 } from "../../src/bundle/crc32-join.ts";

test("the CRC-32 of two pieces is that of the whole, wherever it is cut", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 3000 }), fc.uint8Array({ maxLength: 3000 }), (first, second) => {
      const whole = crc32(Buffer.concat([first, second]));
      expect(joinCrc32(crc32(first), crc32(second), second.length)).toBe(whole);
    }),
  );
});
