import { readdir, readFile } from "node:fs/promises";

/** The command lines, words joined by spaces, of this machine's processes that match. Linux. */
export async function processesLike(pattern: RegExp): Promise<string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/cmdline`, "latin1").catch(() => "")),
  );
  return lines.map((line) => line.replaceAll("\0", " ").trim()).filter((line) => pattern.test(line));
}
