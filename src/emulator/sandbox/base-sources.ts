import { execFile } from "node:child_process";
import { lstat, readdir, realpath, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { baseCommands, baseData } from "./base-commands.ts";
import { findTool, toolPath } from "./tool.ts";

/** A file of this machine and every name under which the built-in root has it; the first is a copy, others are links. */
export type Source = {
  readonly path: string;
  readonly names: readonly string[];
  readonly sizeBytes: number;
  readonly modifiedMs: number;
};

/** The programs, libraries and data of this machine that make the built-in root, in a fixed order. */
export async function findSources(): Promise<readonly Source[]> {
  const names = new Map<string, Set<string>>();
  const add = async (path: string, name: string): Promise<string> => {
    const real = await realpath(path);
    const known = names.get(real) ?? new Set([merged(real)]);
    names.set(real, known.add(merged(name)));
    return real;
  };
  const programs: string[] = [];
  for (const command of [...new Set(baseCommands)].sort()) {
    const path = await findTool(command);
    if (path !== undefined) programs.push(await add(path, path));
  }
  for (const path of baseData) {
    for (const file of await filesOf(path)) await add(file, file);
  }
  const data = [...names.keys()].filter((path) => path.endsWith("sftp-server"));
  for (const library of await librariesOf([...new Set([...programs, ...data])])) await add(library, library);
  return Promise.all([...names].sort(([a], [b]) => (a < b ? -1 : 1)).map(toSource));
}

async function toSource([path, names]: readonly [string, ReadonlySet<string>]): Promise<Source> {
  const { size, mtimeMs } = await stat(path);
  return { path, names: [...names], sizeBytes: size, modifiedMs: mtimeMs };
}

/** Where a path is in a root whose /bin, /sbin and /lib are links into /usr. */
function merged(path: string): string {
  return path.replace(/^\/(s?bin|lib\w*)\//, "/usr/$1/").slice(1);
}

/** glibc opens this one by itself when a thread is canceled, and older ones need the other for names of users. */
const unlisted = ["libgcc_s.so.1", "libnss_files.so.2"];

async function librariesOf(programs: readonly string[]): Promise<readonly string[]> {
  const told = await ask("ldd", ["/bin/sh"]);
  const loader = librariesIn(told).at(-1) ?? "";
  // What ldd does for each, without its five processes for each. The loader itself never runs a program or a script.
  const list = 'loader=$1; shift; for file; do LD_TRACE_LOADED_OBJECTS=1 "$loader" "$file"; done 2>/dev/null';
  const listed = librariesIn(await ask("/bin/sh", ["-c", list, "sh", loader, ...programs]));
  const libraries = new Set([loader, ...listed]);
  const libc = listed.find((path) => path.includes("/libc.so."));
  for (const name of libc === undefined ? [] : unlisted) {
    const path = join(dirname(libc ?? ""), name);
    if ((await filesOf(path)).length > 0) libraries.add(path);
  }
  return [...libraries].filter((path) => path !== "").sort();
}

function librariesIn(told: string): readonly string[] {
  return [...told.matchAll(/(\/\S+) \(0x/g)].map(([, path = ""]) => path);
}

/** The last of many to ask decides the exit code, so it says nothing. */
async function ask(command: string, words: readonly string[]): Promise<string> {
  const options = { env: { PATH: toolPath }, maxBuffer: 16e6 };
  return promisify(execFile)(command, [...words], options).then(
    ({ stdout }) => stdout,
    ({ stdout }: { stdout?: string }) => stdout ?? "",
  );
}

async function filesOf(path: string): Promise<readonly string[]> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return [];
  if (!found.isDirectory()) return (await stat(path).catch(() => undefined))?.isFile() ? [path] : [];
  const entries = await readdir(path);
  return (await Promise.all(entries.sort().map((entry) => filesOf(join(path, entry))))).flat();
}
