import { execFile } from "node:child_process";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** A program of the tests as plain JavaScript, for tests that need a process of their own: to kill it, or to pipe it. */
export async function compile(program: string): Promise<AsyncDisposable & { readonly path: string }> {
  const directory = await mkdtemp(join(tmpdir(), "imgspec-program-"));
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  await promisify(execFile)(
    process.execPath,
    [
      ...[tsc, join(root, program), "--ignoreConfig", "--noCheck", "--rootDir", root, "--outDir", directory],
      ...["--module", "node20", "--target", "es2023", "--lib", "es2023", "--types", "node"],
      ...["--moduleDetection", "force", "--rewriteRelativeImportExtensions", "--resolveJsonModule"],
    ],
    { cwd: root },
  );
  await writeFile(join(directory, "package.json"), '{ "type": "module" }');
  await symlink(join(root, "node_modules"), join(directory, "node_modules"));
  return {
    path: join(directory, program.replace(/\.ts$/, ".js")),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}
