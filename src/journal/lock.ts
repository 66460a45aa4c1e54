import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Problem } from "../problem.ts";

/** The lock's name in a run's directory: a process id and, on a line of its own, when that process began. */
const lockName = "lock";

/**
 * Makes a run's directory this process's own until it is disposed. The lock of a process that is gone counts for
 * nothing. Throws the Problem `journal-unusable` while another process works on the run.
 */
export async function lock(directory: string): Promise<AsyncDisposable> {
  const path = join(directory, lockName);
  const mine = `${process.pid}\n${await beginningOf(process.pid)}\n`;
  while (!(await create(path, mine))) {
    const holder = await holderOf(path);
    if (holder !== null) {
      throw new Problem("journal-unusable", `process ${holder} is still at work on the run in ${directory}`, {
        hint: `wait for its end, or end it in order: kill -INT ${holder}`,
      });
    }
    await rm(path, { force: true });
  }
  return { [Symbol.asyncDispose]: () => rm(path, { force: true }).catch(() => undefined) };
}

async function create(path: string, text: string): Promise<boolean> {
  try {
    await writeFile(path, text, { mode: 0o600, flag: "wx" });
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}

/** The process that holds the lock; null when it is gone and its number free, or another process's by now. */
async function holderOf(path: string): Promise<number | null> {
  const [pid = "", began = ""] = (await readFile(path, "utf8").catch(() => "")).split("\n");
  const number = Number(pid);
  if (!Number.isSafeInteger(number) || number <= 0 || !isAlive(number)) return null;
  return began === (await beginningOf(number)) ? number : null;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It is there, and another user's.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** Tells two processes with the same number apart: clock ticks since the boot, where there is /proc; else nothing. */
async function beginningOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  // Field 22 of proc(5); the name in field 2 may hold blanks and parentheses.
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
}
