import { expect, test } from "vitest";
import { toBar, toDuration, toFit, toSafeLine, toSize } from "../../src/report/format.ts";

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1000, "1.0 KiB"],
  [1024 * 1024 * 1.5, "1.5 MiB"],
  [1024 ** 3 * 10, "10.0 GiB"],
  [1024 ** 2 * 999, "999 MiB"],
  [1024 ** 2 * 1023, "1.0 GiB"],
])("%i bytes are %s", (bytes, text) => {
  expect(toSize(bytes)).toBe(text);
});

test.each([
  [0, "0.0s"],
  [9940, "9.9s"],
  [9960, "10s"],
  [59_600, "1m 00s"],
  [185_000, "3m 05s"],
  [3_720_000, "1h 02m"],
])("%i ms are %s", (ms, text) => {
  expect(toDuration(ms)).toBe(text);
});

test("a line of a script loses all that moves, rings or paints", () => {
  expect(toSafeLine("\u001b[31mred\u001b[0m\u0007\ttab\u001b[2K")).toBe("red  tab");
  expect(toSafeLine("10 %\r50 %\r100 %\r")).toBe("100 %");
});

test("what is too wide ends with an ellipsis, and no character is cut in two", () => {
  expect(toFit("abcdef", 6)).toBe("abcdef");
  expect(toFit("abcdef", 5)).toBe("abcd…");
  expect(toFit("💡💡💡", 2)).toBe("💡…");
  expect(toFit("abc", 1)).toBe("");
});

test("a bar never overflows", () => {
  expect([-1, 0, 0.5, 1, 7].map((fraction) => toBar(fraction, 4))).toEqual([
    "░░░░",
    "░░░░",
    "██░░",
    "████",
    "████",
  ]);
});
