import { createHash } from "node:crypto";
import { constants } from "node:fs";
import {
  chmod,
  copyFile,
  lchown,
  lutimes,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  stat,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { baseFiles, baseFolders, baseLinks } from "./base-files.ts";
import { findSources, type Source } from "./base-sources.ts";
import type { IdMap } from "./id-map.ts";

/** Rises when what is written into the root changes. */
const edition = 3;

/** Of everything that is not a copy of a file of the machine, so that the tree is the same whenever it is made. */
const epoch = new Date("2026-01-01T00:00:00Z");

type Stamp = { readonly edition: number; readonly name: string; readonly sources: readonly Source[] };

/** Makes the built-in root under `home/roots`, or finds it there unchanged; its name. */
export async function makeBaseRoot(home: string, idMap: IdMap): Promise<string> {
  const roots = join(home, "roots");
  const known = await readStamp(join(roots, "base.json"));
  if (known !== undefined && (await holds(known, roots))) return known.name;
  const sources = await findSources();
  const name = `base-${createHash("sha256")
    .update(JSON.stringify([edition, sources]))
    .digest("hex")
    .slice(0, 16)}`;
  if (!(await exists(join(roots, name)))) await make(join(roots, name), sources, idMap);
  const stamp: Stamp = { edition, name, sources };
  await writeFile(join(roots, "base.json.new"), JSON.stringify(stamp));
  await rename(join(roots, "base.json.new"), join(roots, "base.json"));
  return name;
}

async function make(target: string, sources: readonly Source[], idMap: IdMap): Promise<void> {
  const beside = await mkdtemp(`${target}.${process.pid}.`);
  for (const [path, mode] of baseFolders) await makeFolder(join(beside, path), mode);
  for (const [path, to] of Object.entries(baseLinks)) await symlink(to, join(beside, path));
  await Promise.all(sources.map((source) => place(source, beside)));
  const shell = sources.some(({ names }) => names.includes("usr/bin/bash")) ? "/bin/bash" : "/bin/sh";
  for (const { path, mode, text } of baseFiles(shell)) {
    await writeFile(join(beside, path), text);
    await chmod(join(beside, path), mode);
    await utimes(join(beside, path), epoch, epoch);
  }
  await settle(beside, idMap);
  await chmod(beside, 0o755);
  await rename(beside, target).catch(async (error: unknown) => {
    // Another process was quicker, and made the same.
    if (!(await exists(target))) throw error;
  });
}

async function makeFolder(path: string, mode: number): Promise<void> {
  await mkdir(path, { recursive: true });
  await chmod(path, mode);
}

async function place({ path, names, modifiedMs }: Source, root: string): Promise<void> {
  const [first = "", ...others] = names;
  const copy = join(root, first);
  await mkdir(dirname(copy), { recursive: true, mode: 0o755 });
  await copyFile(path, copy, constants.COPYFILE_FICLONE);
  // No setuid: everybody in a sandbox is root, and outside it nobody should find such a file.
  const { mode } = await stat(path);
  await chmod(copy, mode & 0o111 ? 0o755 : 0o644);
  await utimes(copy, new Date(modifiedMs), new Date(modifiedMs));
  for (const name of others) {
    const link = join(root, name);
    await mkdir(dirname(link), { recursive: true, mode: 0o755 });
    await symlink(relative(dirname(link), copy), link);
    await lutimes(link, epoch, epoch);
  }
}

/** Gives all of a tree to the root of the map, and folders the time of everything that is made. */
async function settle(path: string, idMap: IdMap): Promise<void> {
  for (const entry of await readdir(path, { withFileTypes: true })) {
    const inner = join(path, entry.name);
    if (entry.isDirectory()) await settle(inner, idMap);
    else await give(inner, idMap);
  }
  await give(path, idMap);
  await utimes(path, epoch, epoch);
}

/** Makes the root of the map the owner. */
export async function give(path: string, { kind, users, groups }: IdMap): Promise<void> {
  const [user, group] = [users[0], groups[0]];
  if (kind === "delegated" && user && group) await lchown(path, user.outside, group.outside);
}

async function holds(stamp: Stamp, roots: string): Promise<boolean> {
  if (stamp.edition !== edition || !(await exists(join(roots, stamp.name)))) return false;
  const same = await Promise.all(
    stamp.sources.map(async ({ path, sizeBytes, modifiedMs }) => {
      const now = await stat(path).catch(() => undefined);
      return now?.size === sizeBytes && now.mtimeMs === modifiedMs;
    }),
  );
  return same.every(Boolean);
}

async function readStamp(path: string): Promise<Stamp | undefined> {
  const text = await readFile(path, "utf8").catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as Stamp);
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
