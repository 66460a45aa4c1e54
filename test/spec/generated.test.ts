import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";

test("types, validators and the published schema are those of the fragments", async () => {
  const root = new URL("../../", import.meta.url);
  const { stderr } = await promisify(execFile)(process.execPath, ["schemas/generate.mjs", "--check"], {
    cwd: root,
  });
  expect(stderr).toBe("");
});
