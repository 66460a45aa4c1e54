import { randomUUID } from "node:crypto";
import { readFile, rename, rm, writeFile } from "node:fs/promises";

/** Reads JSON; `undefined` when there is no such file. The caller vouches for its type: it wrote the file itself. */
export async function readState<T>(path: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as T;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

/** Writes JSON beside the file and then puts it in its place, so that a reader sees the old or the new one. */
export async function writeState(path: string, value: unknown): Promise<void> {
  const beside = `${path}.${randomUUID()}`;
  try {
    await writeFile(beside, JSON.stringify(value), { mode: 0o600 });
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}
