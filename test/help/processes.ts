import { readdir, readFile, readlink } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

/** The command lines, words joined by spaces, of this machine's processes that match. Linux. */
export async function processesLike(pattern: RegExp): Promise<string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/cmdline`, "latin1").catch(() => "")),
  );
  return lines.map((line) => line.replaceAll("\0", " ").trim()).filter((line) => pattern.test(line));
}

export type SeenProcesses = {
  /** Every command line on this machine, sandboxes' too. */
  readonly commands: string;
  /** The environments of those in sandboxes. */
  readonly environments: string;
};

/** Looks at the processes of this machine as long as the work goes on. */
export async function watchProcesses(work: Promise<unknown>): Promise<SeenProcesses> {
  const [commands, environments] = [new Set<string>(), new Set<string>()];
  const own = await readlink("/proc/self/ns/pid");
  let over = false;
  const end = (): void => {
    over = true;
  };
  void work.then(end, end);
  const read = (path: string): Promise<string> => readFile(path, "latin1").catch(() => "");
  while (!over) {
    const ids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
    await Promise.all(
      ids.map(async (id) => {
        commands.add((await read(`/proc/${id}/cmdline`)).replaceAll("\0", " ").trim());
        const space = await readlink(`/proc/${id}/ns/pid`).catch(() => own);
        if (space !== own) environments.add((await read(`/proc/${id}/environ`)).replaceAll("\0", "\n"));
      }),
    );
    await sleep(20);
  }
  return { commands: [...commands].join("\n"), environments: [...environments].join("\n") };
}
