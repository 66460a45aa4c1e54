import { Problem } from "../problem.ts";
import { writeWhole } from "../util/write-whole.ts";
import type { Result } from "./result.ts";

/** Writes the result whole or not at all. Throws `disk-full` or `result-unwritable`. */
export async function writeResult(path: string, result: Result): Promise<void> {
  try {
    await writeWhole(path, `${JSON.stringify(result, undefined, 2)}\n`);
  } catch (cause) {
    const full = cause instanceof Error && "code" in cause && cause.code === "ENOSPC";
    throw new Problem(full ? "disk-full" : "result-unwritable", `the result cannot be written to ${path}`, {
      cause,
    });
  }
}
