import { expect, test } from "vitest";
import { toOneLine } from "../../src/util/one-line.ts";

test("what would steer a terminal is shown as its code, and blanks of any kind are one space", () => {
  expect(toOneLine("a\n\t b\u001b[2J\u009bm\u202ec é 語")).toBe("a b\\u{1b}[2J\\u{9b}m\\u{202e}c é 語");
});
