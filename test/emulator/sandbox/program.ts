import { execFile } from "node:child_process";
import { symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

/**
 * Writes a program of its own process: `host` is a sandbox over the folder that is its first argument, `word` its
 * second. The sandbox is compiled for it, since Node 20 runs no TypeScript.
 */
export async function toProgram(directory: string, body: string): Promise<string> {
  const repository = resolve(import.meta.dirname, "../../..");
  const flags =
    "--ignoreConfig --target es2023 --module node20 --rewriteRelativeImportExtensions --types node --skipLibCheck";
  const source = join(repository, "src/emulator/sandbox/host.ts");
  const tsc = join(repository, "node_modules/typescript/bin/tsc");
  const folders = ["--rootDir", join(repository, "src"), "--outDir", join(directory, "dist")];
  writeFileSync(join(directory, "package.json"), '{"type":"module"}');
  symlinkSync(join(repository, "node_modules"), join(directory, "node_modules"));
  await promisify(execFile)(process.execPath, [tsc, ...flags.split(" "), ...folders, source], {
    cwd: repository,
  });
  const program = join(directory, "program.mjs");
  const head = `import { newSandboxHost } from "./dist/emulator/sandbox/host.js";
const [directory, word] = process.argv.slice(2);
const host = newSandboxHost({ directory });`;
  writeFileSync(program, `${head}\n${body}\n`);
  return program;
}
