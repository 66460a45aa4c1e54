// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the expressions of specs, not of JavaScript
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { toExcerpts } from "../../src/document/excerpt.ts";
import { Problem } from "../../src/problem.ts";
import { specOf } from "./reading.ts";

const whole = readFileSync(new URL("../../templates/full.yaml", import.meta.url), "utf8");

const bits = [
  "${{ ",
  " }}",
  "vars.",
  "{",
  "}",
  "[",
  "]",
  ": ",
  "- ",
  "\n",
  "'",
  '"',
  "&a ",
  "*a",
  "!x ",
  "null",
  "0644",
  "|",
  "#",
  "  ",
  "? ",
];

/** The full template with some stretches taken out and others put in. */
const edited = fc
  .array(
    fc.record({
      at: fc.nat(whole.length),
      drop: fc.nat(30),
      put: fc.oneof(fc.constantFrom(...bits), fc.string({ maxLength: 5 })),
    }),
    { minLength: 1, maxLength: 6 },
  )
  .map((edits) =>
    edits.reduce((text, { at, drop, put }) => text.slice(0, at) + put + text.slice(at + drop), whole),
  );

test("whatever a file holds, it is a spec or told what is wrong with it, in places that it has", async () => {
  await fc.assert(
    fc.asyncProperty(edited, (text) => isRead(text)),
    { numRuns: 300 },
  );
});

test("nothing may stand for any value of a spec", async () => {
  const spec: unknown = parse(whole);
  const paths = pathsOf(spec);
  expect(paths.length).toBeGreaterThan(100);
  for (const path of paths) await isRead(JSON.stringify(without(spec, path)));
});

function pathsOf(value: unknown): string[][] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([step, inner]) => [
    [step],
    ...pathsOf(inner).map((path) => [step, ...path]),
  ]);
}

function without(value: unknown, [step, ...path]: readonly string[]): unknown {
  if (step === undefined) return null;
  if (Array.isArray(value))
    return value.map((item, index) => (`${index}` === step ? without(item, path) : item));
  const map = value as Record<string, unknown>;
  return { ...map, [step]: without(map[step], path) };
}

async function isRead(text: string): Promise<void> {
  const error: unknown = await specOf(text, { environment: { PATH: "/bin" } }).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error === undefined) return;
  if (!(error instanceof Problem)) throw error;
  expect(error.code).toBe("spec-invalid");
  expect(error.diagnostics.length).toBeGreaterThan(0);
  const lines = text.split("\n").length;
  expect(error.diagnostics.filter(({ place }) => place.line < 1 || place.line > lines)).toEqual([]);
  expect(toExcerpts(error.diagnostics, () => text)).not.toBe("");
  const said = error.diagnostics.map(({ message, hint }) => `${message} ${hint ?? ""}`);
  expect(said.filter((words) => /undefined|\[object/.test(words))).toEqual([]);
}
