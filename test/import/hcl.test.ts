// biome-ignore-all lint/suspicious/noTemplateCurlyInString: expressions of a spec
import fc from "fast-check";
import { expect, test } from "vitest";
import { lower } from "../../src/import/hcl/lower.ts";
import { celOf, toNode } from "../../src/import/hcl/lowered.ts";
import { parseHcl } from "../../src/import/hcl/parse.ts";
import { Problem } from "../../src/problem.ts";
import { imported } from "./reading.ts";

test("attributes, labels, nested blocks and comments are read with their places", () => {
  const { attributes, blocks } = parse(
    '# one\na = 1 // two\n/* three */ b "c" d {\n  e = [\n    true, # four\n  ]\n}\n',
  );
  expect(attributes).toMatchObject([{ name: "a", place: { line: 2, column: 1, endColumn: 2 } }]);
  expect(blocks).toMatchObject([{ type: "b", labels: ["c", "d"], place: { line: 3, column: 13 } }]);
  expect(blocks[0]?.body.attributes).toMatchObject([
    { name: "e", value: { place: { line: 4, column: 7, endLine: 6 } } },
  ]);
});

test.each([
  ['"a\\tb\\u0041"', "a\tbA"],
  ['"$${x} %%{y} $ %"', "${x} %{y} $ %"],
  ['"v-${var.v}"', "v-${{ vars.v }}"],
  ['"${var.v}"', "${{ vars.v }}"],
  ["<<A\n  x ${var.v}\n y\nA", "  x ${{ vars.v }}\n y\n"],
  ["<<-A\n    x\n\n      ${var.v} y\n    A", "x\n\n  ${{ vars.v }} y\n"],
  ['upper("a")', "A"],
  ["upper(var.v)", "${{ vars.v.upperAscii() }}"],
  ['lower("${var.v}-X")', "${{ (string(vars.v) + '-X').lowerAscii() }}"],
  ['replace(var.v, ".", "-")', "${{ vars.v.replace('.', '-') }}"],
  ['join("-", ["a", var.v])', "a-${{ vars.v }}"],
  ['join("-", var.l)', "${{ vars.l.join('-') }}"],
  ['format("%s.%s", "a", var.v)', "a.${{ vars.v }}"],
  ['formatdate("YYYYMMDD", timestamp())', "${{ build.now.format('%Y%m%d') }}"],
  ['regex_replace(timestamp(), "[- TZ:]", "")', "${{ build.now.format('%Y%m%d%H%M%S') }}"],
  ['file("./motd")', "${{ file('motd') }}"],
  ["var.l[0]", "${{ vars.l[0] }}"],
  ['var.v == "x" && !var.b ? 1 : 2', "${{ (((vars.v == 'x') && !(vars.b)) ? 1 : 2) }}"],
  ["1 + 2 * 3", "${{ (1 + (2 * 3)) }}"],
  ["local.m.k", "value"],
  ['["a", "b"][1]', "b"],
  ['contains(var.l, "x")', "${{ 'x' in vars.l }}"],
  ["-1.5e3", "${{ -(1500) }}"],
])("%s is %s", (source, expected) => {
  expect(specValueOf(source)).toBe(expected);
});

test.each([
  ['[for x in [1, "}"] : x]', "a for expression"],
  ["var.l[*].x", "a splat"],
  ['vault("a", "b")', "vault(…)"],
  ["local.loop", "a local stands for itself"],
  ["var.unknown", 'no variable "unknown"'],
  ['"${var.v}%{ if true }x%{ endif }"', "a directive"],
  ["data.amazon-ami.x.name", "data.amazon-ami is known only to Packer"],
])("%s has no like, and it is said why", (source, why) => {
  expect(specValueOf(source)).toContain(why);
});

test.each([
  ["a = ", 1, 5, "a value was expected here"],
  ["a = 1 b", 1, 7, "the line should end here"],
  ['a = "x\n"', 1, 5, "this text has no end"],
  ["a {\n", 2, 1, "expected here"],
  ["a = <<E\nx\n", 1, 5, "this text has no end: a line with E alone"],
  ["a = [1 2]", 1, 8, '"," or "]" was expected here'],
  ["= 1", 1, 1, "the name of an attribute"],
])("%j is told at %i:%i", (source, line, column, message) => {
  const problem = problemOf(source);
  expect(problem?.diagnostics[0]?.message).toContain(message);
  expect(problem?.diagnostics[0]?.place).toMatchObject({ line, column });
});

test("deep nesting and locals that grow without end are refused", () => {
  expect(problemOf(`a = ${"[".repeat(5000)}`)?.diagnostics[0]?.message).toContain("nested too deeply");
  expect(problemOf(`a = ${"!".repeat(5000)}1`)?.diagnostics[0]?.message).toContain("nested too deeply");
  const grown = Array.from({ length: 30 }, (_, n) => `  l${n + 1} = "\${local.l${n}}\${local.l${n}}"`).join(
    "\n",
  );
  const content = `locals {\n  l0 = "x"\n${grown}\n}\nsource "amazon-instance" "a" { ami_name = local.l30 }\n`;
  expect(() => imported({ path: "x.hcl", content })).toThrow("stands for too many values");
});

const words = fc.constantFrom(
  ...[
    'source "amazon-instance" "a" {',
    "}",
    "{",
    "a = ",
    '"',
    "${",
    "<<E\n",
    "<<-E\n",
    "E\n",
    "\n",
    "[",
    "]",
    "(",
    ")",
  ],
  ...[
    "var.x",
    "local.a",
    "{{user `x`}}",
    ",",
    "?",
    ":",
    "#",
    "/*",
    "*/",
    "//",
    "==",
    "-",
    ".",
    "*",
    "%{",
    "\\",
    "é😀",
    "1e9",
  ],
  ...["for ", "region", "tags", "locals {", 'provisioner "shell" {', "build {", "inline", "=", "$${{"],
);

test("no text crashes or hangs it, and every place is in the file", { timeout: 120_000 }, () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(words, words, fc.string()), { maxLength: 60 }), (parts) => {
      const content = parts.join("");
      const lines = content.split("\n");
      for (const { line, column } of placesOf(content)) {
        expect(line).toBeLessThanOrEqual(lines.length);
        expect(column).toBeLessThanOrEqual((lines[line - 1] ?? "").length + 1);
      }
    }),
    { numRuns: 1500 },
  );
});

function placesOf(content: string): readonly { readonly line: number; readonly column: number }[] {
  try {
    return imported({ path: "x.hcl", content }).leftovers.map(({ place }) => place);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return error.diagnostics.map(({ place }) => place);
  }
}

function parse(content: string): ReturnType<typeof parseHcl> {
  return parseHcl({ path: "x.hcl", content });
}

function problemOf(content: string): Problem | undefined {
  try {
    parse(content);
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  return undefined;
}

/** As it stands in a spec, or why it does not. */
function specValueOf(source: string): unknown {
  const [attribute] = parse(`a = ${source}\n`).attributes;
  const locals = parse('m = { k = "value" }\nloop = local.loop\n').attributes;
  if (!attribute) throw new Error("no attribute");
  const lowered = lower(attribute.value, {
    variables: new Map([
      ["v", true],
      ["l", false],
      ["b", false],
    ]),
    locals: new Map(locals.map(({ name, value }) => [name, value])),
    builder: "web",
    budget: { left: 1000 },
  });
  if (lowered.kind === "none") return lowered.why;
  expect(lowered.kind === "map" ? "" : celOf(lowered)).toBeDefined();
  const node = toNode(lowered, attribute.place, new Map());
  return node.kind === "scalar" ? node.value : node;
}
