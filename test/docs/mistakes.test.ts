import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { toExcerpts } from "../../src/document/excerpt.ts";
import { Problem } from "../../src/problem.ts";
import { readSpec } from "../../src/spec/read-spec.ts";
import { textOf } from "./pages.ts";

test("the page of mistakes shows what is said of its spec", async () => {
  const [spec = "", said = ""] = [...textOf("docs/mistakes.md").matchAll(/^```text\n(.*?)^```/gms)].map(
    ([, block = ""]) => block,
  );
  const directory = await mkdtemp(join(tmpdir(), "imgspec-mistakes-"));
  try {
    const path = join(directory, "image.yaml");
    await writeFile(path, spec);
    await mkdir(join(directory, "keys"));
    await writeFile(join(directory, "keys/pk.pem"), "");
    const build = { id: "20261122-213330-k3v9", now: new Date(Date.UTC(2026, 10, 22)) };
    const error = await readSpec(path, { variables: {}, environment: {}, build }).catch(
      (reason: unknown) => reason,
    );
    if (!(error instanceof Problem)) throw error;
    expect(error.diagnostics).toHaveLength(11);
    const shown = `${toExcerpts(error.diagnostics, () => spec)}\nimgspec: ${error.message}\n`;
    expect(shown.replaceAll(`${directory}/`, "")).toBe(said);
  } finally {
    await rm(directory, { recursive: true });
  }
});
