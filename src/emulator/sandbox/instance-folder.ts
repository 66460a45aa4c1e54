import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { IdMap } from "./id-map.ts";
import { runMapped } from "./user-namespace.ts";

/** The name of a folder that only this process uses, and that another removes once this one is gone. */
export function ownFolder(name: string): string {
  return `${name}.${process.pid}`;
}

/**
 * Removes a folder, given relative to `home`. Some files belong to ids that only the map has, some folders let
 * nobody in: root of the map may remove them all.
 */
export async function removeFolder(idMap: IdMap, home: string, folder: string): Promise<void> {
  await runMapped(idMap, ["rm", "-rf", "--", folder], home);
  // What is left belongs to who runs this: pipes, or a folder that was never given away.
  await rm(join(home, folder), { recursive: true, force: true });
}

/** Removes what processes left behind that were killed. */
export async function sweep(idMap: IdMap, home: string): Promise<void> {
  for (const place of ["instances", "roots"]) {
    for (const entry of await readdir(join(home, place))) {
      if (isLeftBehind(entry)) await removeFolder(idMap, home, join(place, entry));
    }
  }
}

/** Whether a folder of that name belonged to a process that is gone. */
export function isLeftBehind(name: string): boolean {
  const owner = /\.(\d+)(\.\w+)?$/.exec(name)?.[1];
  return owner !== undefined && !isAlive(Number(owner));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
