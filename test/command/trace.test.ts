import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { transformSync } from "esbuild";
import { expect, test } from "vitest";
import { toTrace } from "../../src/command/trace.ts";

test("a trace of minified code shows the places in the source", async () => {
  const folder = mkdtempSync(join(tmpdir(), "imgspec-trace-"));
  const source = "export function fail() {\n  const nothing = null;\n  return nothing.key;\n}\n";
  const options = { sourcefile: "../../src/util/fail.ts", sourcemap: "external", minify: true } as const;
  const { code, map } = transformSync(source, options);
  const file = join(folder, "fail.js");
  writeFileSync(file, code);
  writeFileSync(`${file}.map`, map);
  const { fail } = (await import(file)) as { fail: () => void };
  const error = caught(fail);
  expect(error.stack?.split("\n")[1]).not.toContain("fail.ts");
  expect(toTrace(error.stack ?? "").split("\n")[1]).toMatch(/\(src\/util\/fail\.ts:3:18\)$/);
});

test("a place without a map stays as it is", () => {
  expect(toTrace("Error: x\n    at f (/nowhere/a.js:1:2)")).toBe("Error: x\n    at f (/nowhere/a.js:1:2)");
});

function caught(action: () => void): Error {
  try {
    action();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error("nothing was thrown");
}
