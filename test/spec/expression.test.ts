// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the expressions of specs, not of JavaScript
import fc from "fast-check";
import { expect, test } from "vitest";
import { toPieces } from "../../src/spec/expression.ts";

test("a text is cut at its expressions, which keep their braces and quotes", () => {
  expect(celsOf("a ${{ name }} b ${{vars.x}}")).toEqual(["name", "vars.x"]);
  expect(celsOf("${{ {'a': {'b': 1}}.a.b }}")).toEqual(["{'a': {'b': 1}}.a.b"]);
  expect(celsOf("${{ '}}' + \"}}\" }}")).toEqual(["'}}' + \"}}\""]);
  expect(celsOf("${{ '\\'}}' }}")).toEqual(["'\\'}}'"]);
  expect(celsOf("${{ r'\\' }}")).toEqual(["r'\\'"]);
  expect(celsOf('${{ """ "}} """ }}')).toEqual(['""" "}} """']);
});

test("an expression that does not end is told, with where it begins", () => {
  for (const text of ["ab${{ name", "ab${{ name }", "ab${{ { }}", "ab${{ 'x }}"]) {
    expect(toPieces(text)).toEqual([
      { kind: "text", text: "ab" },
      { kind: "unclosed", start: 2 },
    ]);
  }
});

test("a dollar, braces and shell's own ${x} are text", () => {
  for (const text of ["", "$", "{{ x }}", "${x}", "}}", "$ {{ x }}"]) {
    expect(toPieces(text)).toEqual(text === "" ? [] : [{ kind: "text", text }]);
  }
});

test("the pieces of any text, put together again, are the text", () => {
  const word = fc.constantFrom("${{", "}}", "{", "}", "'", '"', "\\", "a", " ", "$", "r'", '"""', "\n");
  fc.assert(
    fc.property(fc.array(word, { maxLength: 30 }), (words) => {
      const text = words.join("");
      const whole = toPieces(text).map((piece) => {
        if (piece.kind === "text") return piece.text;
        return piece.kind === "unclosed" ? text.slice(piece.start) : text.slice(piece.start, piece.end);
      });
      expect(whole.join("")).toBe(text);
    }),
    { numRuns: 2000 },
  );
});

function celsOf(text: string): string[] {
  return toPieces(text).flatMap((piece) => (piece.kind === "expression" ? [piece.cel] : []));
}
