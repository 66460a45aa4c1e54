import { expect, test } from "vitest";
import type { Diagnostic } from "../../src/diagnostic.ts";
import { toExcerpts } from "../../src/document/excerpt.ts";

test("diagnostics come in the order of their places, warnings among errors", () => {
  const found = [at(2, 1, 3), at(1, 4, 5), { ...at(1, 1, 2), severity: "warning" as const, hint: "do this" }];
  expect(toExcerpts(found, () => "abcdef\nghi\n")).toMatchInlineSnapshot(`
    "spec.yaml:1:1 some-code warning: it is wrong
      > 1 | abcdef
          | ^
      hint: do this

    spec.yaml:1:4 some-code it is wrong
      > 1 | abcdef
          |    ^

    spec.yaml:2:1 some-code it is wrong
        1 | abcdef
      > 2 | ghi
          | ^^
    "
  `);
});

test("the carets stand under what is meant after tabs, wide letters and accents", () => {
  const line = "\t画 e\u0301: bad # 😀";
  const start = line.indexOf("bad") + 1;
  const [, , carets] = toExcerpts([at(1, start, start + 3)], () => line).split("\n");
  expect(carets).toBe(`      | ${" ".repeat(2 + 2 + 1 + 1 + 2)}^^^`);
});

test("nothing of a file can steer the terminal", () => {
  const said = { ...at(1, 1, 3), message: "not \u001b[31m", hint: "\u202e" };
  const excerpt = toExcerpts([said], () => "a\u001b]0;title\u0007b\u0085");
  expect(["\u001b", "\u0007", "\u0085", "\u202e"].filter((character) => excerpt.includes(character))).toEqual(
    [],
  );
});

test("a long line is cut around the caret", () => {
  const line = `${"x".repeat(5000)}bad${"y".repeat(5000)}`;
  const rows = toExcerpts([at(1, 5001, 5004)], () => line).split("\n");
  expect(rows[1]).toBe(`  > 1 | ${"x".repeat(60)}bad${"y".repeat(57)}`);
  expect(rows[2]).toBe(`      | ${" ".repeat(60)}^^^`);
});

test("a file that is gone leaves the message without its line", () => {
  expect(toExcerpts([at(3, 1, 2)], () => undefined)).toBe("spec.yaml:3:1 some-code it is wrong\n");
});

test("colours are the caller's, and each stretch says what it is", () => {
  const painted = toExcerpts(
    [{ ...at(1, 1, 2), hint: "h" }],
    () => "a",
    (role, text) => `<${role}>${text}</>`,
  );
  expect(painted).toBe(
    "<place>spec.yaml:1:1</> <error>some-code</> it is wrong\n<frame>  > 1 |</> a\n<frame>      |</> <caret>^</>\n  <hint>hint:</> h\n",
  );
});

function at(line: number, column: number, endColumn: number): Diagnostic {
  const place = { path: "spec.yaml", line, column, endLine: line, endColumn };
  return { code: "some-code", severity: "error", message: "it is wrong", place };
}
