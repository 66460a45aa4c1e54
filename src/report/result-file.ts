import { rename, rm, writeFile } from "node:fs/promises";
import { Problem } from "../problem.ts";
import type { Result } from "./result.ts";

/** Writes the result beside its place and renames it there: a reader sees the old one or the new one, never half. */
export async function writeResult(path: string, result: Result): Promise<void> {
  const beside = `${path}.${process.pid}.tmp`;
  try {
    await writeFile(beside, `${JSON.stringify(result, undefined, 2)}\n`);
    await rename(beside, path);
  } catch (cause) {
    await rm(beside, { force: true });
    const full = cause instanceof Error && "code" in cause && cause.code === "ENOSPC";
    throw new Problem(full ? "disk-full" : "result-unwritable", `the result cannot be written to ${path}`, {
      cause,
    });
  }
}
