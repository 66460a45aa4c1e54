import { expect, test } from "vitest";
import { toPattern, whyNoPattern } from "../../src/util/pattern.ts";

test("a pattern is found anywhere in a text, and its ends are those of the text or of lines", () => {
  expect(toPattern("b+").test("abbc")).toBe(true);
  expect(toPattern("^b").test("a\nb")).toBe(false);
  expect(toPattern("^b$", { isMultiline: true }).test("a\nb\nc")).toBe(true);
});

test.each(["(a+)+$", "(a|aa)+$", "(.*a){20}$"])("%s takes no time to speak of", (source) => {
  const start = performance.now();
  expect(toPattern(source).test(`${"a".repeat(50_000)}!`)).toBe(false);
  expect(performance.now() - start).toBeLessThan(1500);
});

test.each([
  ["(", "missing closing ): ("],
  ["a**", "invalid nested repetition operator: **"],
  ["a(?=b)", "look-ahead and look-behind, (?=…) and the like, are not in RE2"],
  ["(?<!a)b", "look-ahead and look-behind, (?=…) and the like, are not in RE2"],
  ["(a)\\1", "back-references, \\1 and the like, are not in RE2"],
  ["a++", "atomic groups and possessive repetition are not in RE2"],
  ["\\u00e9", "\\u… is not in RE2: write \\x{…}"],
  ["\\\\(?P<n>", "missing closing ): \\\\(?P<n>"],
  ["a".repeat(1001), "it has more than 1000 characters"],
  ["(a{40}){40}", "invalid repeat count: {40}"],
  ["a{900}b{900}", "its repetitions make it too large"],
])("what is wrong with %s is told", (source, told) => {
  expect(whyNoPattern(source)).toBe(told);
});

test("a text that would take a pattern too long is refused", () => {
  const pattern = toPattern("[ab]{0,400}c$");
  expect(() => pattern.test("ab".repeat(200_000))).toThrow(
    "a text of 400000 characters is too long for so large a pattern",
  );
});
