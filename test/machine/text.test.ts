import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { expect, test } from "vitest";
import { LineSplitter } from "../../src/machine/lines.ts";
import { quote } from "../../src/machine/quote.ts";
import { Tail } from "../../src/machine/tail.ts";

const kib = 1024;

test("a quoted word comes through a shell as it is", () => {
  const word = fc.string({ unit: "binary", maxLength: 40 }).filter((text) => !text.includes("\0"));
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 8 }), (words) => {
      const wellFormed = words.map((text) => Buffer.from(text).toString());
      const command = `printf '%s\\0' ${wellFormed.map(quote).join(" ")}`;
      const out = execFileSync("sh", ["-c", command], { encoding: "utf8" });
      expect(out.split("\0").slice(0, -1)).toEqual(wellFormed);
    }),
    { numRuns: 60 },
  );
});

test("a NUL cannot be quoted", () => {
  expect(() => quote("a\0b")).toThrow(RangeError);
});

test("lines are the same however the bytes were cut", () => {
  const piece = fc.oneof(fc.constantFrom("\n", "\r\n", "ü", "😀"), fc.string({ maxLength: 5 }));
  fc.assert(
    fc.property(
      fc.array(piece),
      fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 }),
      (pieces, cuts) => {
        const text = pieces.join("");
        expect(split(Buffer.from(text), cuts)).toEqual(split(Buffer.from(text), [text.length * 4 + 1]));
      },
    ),
  );
});

test("a carriage return starts the line over", () => {
  expect(split(Buffer.from("10%\r50%\r100%\ndone\r\n\r\nrest\r"), [3])).toEqual(["100%", "done", "", "rest"]);
});

test("an endless line is cut, and an endless progress bar takes no room", () => {
  const lines = split(Buffer.from(`${"x".repeat(150 * kib)}\n`), [10 * kib]);
  expect(lines.map((line) => line.length)).toEqual([64 * kib, 64 * kib, 22 * kib]);
  expect(split(Buffer.from(`${"\r 12 %".repeat(50 * kib)}\n`), [10 * kib])).toEqual([" 12 %"]);
});

test("a tail keeps the last 64 KiB, and whole characters", () => {
  const tail = new Tail();
  for (let index = 0; index < 100; index += 1) tail.push(Buffer.from("ü".repeat(5 * kib)));
  tail.push(Buffer.from("!"));
  expect(tail.text()).toBe(`${"ü".repeat(32 * kib - 1)}!`);
});

test("a short tail is all there was", () => {
  const tail = new Tail();
  for (const text of ["a", "", "b\n"]) tail.push(Buffer.from(text));
  expect(tail.text()).toBe("ab\n");
});

function split(bytes: Buffer, cuts: readonly number[]): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line));
  for (let start = 0, turn = 0; start < bytes.length; turn += 1) {
    const length = cuts[turn % cuts.length] ?? 1;
    splitter.push(bytes.subarray(start, start + length));
    start += length;
  }
  splitter.end();
  return lines;
}
