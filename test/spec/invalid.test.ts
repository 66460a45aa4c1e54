import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import type { Diagnostic } from "../../src/diagnostic.ts";
import { toExcerpts } from "../../src/document/excerpt.ts";
import { Problem } from "../../src/problem.ts";
import { errorCodes, warningCodes } from "../../src/spec/diagnostics.ts";
import { readSpec } from "../../src/spec/read-spec.ts";

const directory = fileURLToPath(new URL("golden/invalid/", import.meta.url));
const names = readdirSync(directory).filter((name) => name.endsWith(".yaml"));
const told = new Map<string, readonly Diagnostic[]>();

for (const name of names) {
  test(`${name} is told as ${name.replace(".yaml", ".txt")} says`, async () => {
    const diagnostics = await diagnosticsOf(name);
    told.set(name, diagnostics);
    const seen = toExcerpts(diagnostics, (path) => readFileSync(path, "utf8")).replaceAll(directory, "");
    await expect(seen).toMatchFileSnapshot(`${directory}${name.replace(".yaml", ".txt")}`);
  });
}

test("every code of a diagnostic is shown by one of these files", () => {
  const codes = new Set([...told.values()].flat().map(({ code }) => code));
  const listed = [...Object.keys(errorCodes), ...Object.keys(warningCodes)];
  expect(listed.filter((code) => !codes.has(code))).toEqual([
    "yaml-too-complex",
    "extends-too-much",
    "variable-undeclared",
  ]);
  expect([...codes].filter((code) => !listed.includes(code))).toEqual([]);
});

/** The first line of a file may be a comment with the --var options that it is read with. */
async function diagnosticsOf(name: string): Promise<readonly Diagnostic[]> {
  const [first = ""] = readFileSync(`${directory}${name}`, "utf8").split("\n");
  const variables = Object.fromEntries(
    [...first.matchAll(/--var (\w+)=(\S+)/g)].map(([, key, value]) => [key, value]),
  );
  try {
    const { warnings } = await readSpec(`${directory}${name}`, {
      variables,
      environment: {},
      build: { id: "20261122-213330-k3v9", now: new Date(Date.UTC(2026, 10, 22, 21, 33, 30)) },
    });
    return warnings;
  } catch (error) {
    if (error instanceof Problem && error.code === "spec-invalid") return error.diagnostics;
    throw error;
  }
}
