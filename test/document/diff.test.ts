import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { toUnifiedDiff } from "../../src/document/diff.ts";

const text = fc
  .tuple(fc.array(fc.constantFrom("a", "b", "c", "", "- d"), { maxLength: 30 }), fc.boolean())
  .map(([lines, ends]) => lines.join("\n") + (ends ? "\n" : ""));

const canPatch = spawnSync("patch", ["--version"]).status === 0;
const skipped = canPatch ? "" : " (skipped: there is no patch here)";

test.skipIf(!canPatch)(`the real patch makes the one text from the other by it${skipped}`, () => {
  const folder = mkdtempSync(join(tmpdir(), "imgspec-diff-"));
  const path = join(folder, "a.yaml");
  try {
    fc.assert(
      fc.property(text, text, (before, after) => {
        fc.pre(before !== after && before !== "" && after !== "");
        writeFileSync(path, before);
        execFileSync("patch", ["--quiet", "--posix", "--fuzz=0", path], {
          input: toUnifiedDiff("a.yaml", before, after),
        });
        expect(readFileSync(path, "utf8")).toBe(after);
      }),
      { numRuns: 60 },
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("changes that are far apart are hunks of their own, and few lines around each are shown", () => {
  const lines = Array.from({ length: 30 }, (_, index) => `line ${index + 1}\n`);
  const changed = lines.with(4, "five\n").with(24, "25\n");
  const diff = toUnifiedDiff("x", lines.join(""), changed.join(""));
  expect(diff.match(/^@@.*$/gm)).toEqual(["@@ -2,7 +2,7 @@", "@@ -22,7 +22,7 @@"]);
  expect(toUnifiedDiff("x", "a\n", "a\n")).toBe("");
});

test("texts of a hundred thousand lines each are told apart in no time", () => {
  const one = "a\n".repeat(100_000);
  const other = "b\n".repeat(100_000);
  const diff = toUnifiedDiff("x", one, other);
  expect(diff.split("\n").length).toBe(200_004);
});
