import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { toProgram } from "../../src/cli.ts";
import { exitCodeOf, problemCodes } from "../../src/problem.ts";
import { errorCodes, warningCodes } from "../../src/spec/diagnostics.ts";
import { root, textOf } from "./pages.ts";
import { allowed, besides, calls } from "./policy.ts";

const stale = "stale: npm run build && npm run docs";

type ToPage = (of: unknown) => string;

test("docs/reference/cli.md is what the commands say of themselves", async () => {
  const toPage = await load<ToPage>("docs/generate/cli-page.mjs", "toCliPage");
  expect(textOf("docs/reference/cli.md"), stale).toBe(toPage(toProgram(() => undefined)));
});

test("docs/reference/spec.md is what the schema says", async () => {
  const toPage = await load<ToPage>("docs/generate/spec-page.mjs", "toSpecPage");
  const assemble = await load<() => unknown>("schemas/assemble.mjs", "assemble");
  expect(textOf("docs/reference/spec.md"), stale).toBe(toPage(assemble()));
});

test("docs/reference/diagnostics.md has every code of a diagnostic", async () => {
  const toPage = await load<ToPage>("docs/generate/diagnostics-page.mjs", "toDiagnosticsPage");
  expect(textOf("docs/reference/diagnostics.md"), stale).toBe(toPage({ errorCodes, warningCodes }));
});

test("docs/reference/troubleshooting.md has every code of a failure", async () => {
  const toPage = await load<ToPage>("docs/generate/troubleshooting-page.mjs", "toTroubleshootingPage");
  expect(textOf("docs/reference/troubleshooting.md"), stale).toBe(toPage({ problemCodes, exitCodeOf }));
});

test("there is advice on each code, and on none that there is not", async () => {
  const onFailures = await load<object>("docs/generate/failure-advice.mjs", "failureAdvice");
  const onSpecs = await load<object>("docs/generate/spec-advice.mjs", "specAdvice");
  expect(Object.keys(onFailures).sort()).toEqual([...problemCodes].sort());
  expect(Object.keys(onSpecs).sort()).toEqual(Object.keys({ ...errorCodes, ...warningCodes }).sort());
});

test("docs/output.md has every type of event, and every code of a failure", () => {
  const schema = JSON.parse(readFileSync(join(root, "schemas/event.v1.schema.json"), "utf8")) as {
    oneOf: { title: string }[];
  };
  const page = textOf("docs/output.md");
  const told = [...schema.oneOf.map(({ title }) => title), ...problemCodes];
  expect(told.filter((word) => !page.includes(`\`${word}\``))).toEqual([]);
});

test("the policy in docs/aws.md allows nothing that imgspec has no use for", () => {
  const useful = new Set([...calls().map(({ action }) => action), ...besides]);
  expect(allowed().length).toBeGreaterThan(10);
  expect(allowed().filter((action) => !useful.has(action))).toEqual([]);
});

/** One export of a script that is plain JavaScript. */
async function load<T>(path: string, name: string): Promise<T> {
  const all = (await import(/* @vite-ignore */ pathToFileURL(join(root, path)).href)) as Record<string, T>;
  const one = all[name];
  if (one === undefined) throw new Error(`${path} exports no ${name}`);
  return one;
}
