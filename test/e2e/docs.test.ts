import { execFile } from "node:child_process";
import { chmod, cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { blocks, root } from "../docs/pages.ts";
import { allowed, calls } from "../docs/policy.ts";
import { newCli } from "../help/cli.ts";
import { newEmulated } from "../help/emulated.ts";

const runnable = blocks("sh").filter(({ run }) => run !== null);

test("some commands of the pages are run", () => {
  expect(runnable.length).toBeGreaterThan(2);
});

test.each(runnable)("$place does what it says", async ({ text, run }) => {
  const folder = await mkdtemp(join(tmpdir(), "imgspec-docs-"));
  try {
    if (run?.example) await cp(join(root, "examples", run.example), folder, { recursive: true });
    const { PATH = "" } = process.env;
    const env = { PATH: `${await installed(folder)}:${PATH}`, HOME: folder, TMPDIR: tmpdir() };
    // Rejects, with all that was printed, when a command does not end with 0.
    await promisify(execFile)("/bin/sh", ["-euc", text], { cwd: folder, env });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test("the policy in docs/aws.md allows all that a build calls, a failing one too", async () => {
  await using cli = await newCli("quickstart");
  await using emulator = await newEmulated(join(cli.folder, "image.yaml"));
  const { code } = await cli.run("build", "image.yaml", "--emulator", emulator.url);
  emulator.fail("RegisterImage", "InvalidManifest");
  const failed = await cli.run("build", "image.yaml", "--emulator", emulator.url);
  expect([code, failed.code]).toEqual([0, 7]);
  const called = calls().filter(({ name }) => emulator.calls(name) > 0);
  expect(called.length).toBeGreaterThan(12);
  expect(called.map(({ action }) => action).filter((action) => !allowed().includes(action))).toEqual([]);
});

/** A folder with a command `imgspec`, as npm makes one. */
async function installed(folder: string): Promise<string> {
  const path = join(folder, "imgspec");
  await writeFile(path, `#!/bin/sh\nexec '${process.execPath}' '${root}/dist/bin.cjs' "$@"\n`);
  await chmod(path, 0o755);
  return folder;
}
