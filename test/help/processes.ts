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

/** The same of processes that this one started, and what they started; not those of tests that run beside it. */
export async function childrenLike(pattern: RegExp): Promise<string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const read = (path: string): Promise<string> => readFile(path, "latin1").catch(() => "");
  // The name of the command, in brackets, may hold anything; the state and the parent follow it.
  const parents = new Map(
    await Promise.all(
      pids.map(async (pid) => [pid, /.*\) \S (\d+)/s.exec(await read(`/proc/${pid}/stat`))?.[1]] as const),
    ),
  );
  const isOurs = (pid: string | undefined): boolean =>
    pid !== undefined && (pid === String(process.pid) || isOurs(parents.get(pid)));
  const lines = await Promise.all(pids.filter(isOurs).map((pid) => read(`/proc/${pid}/cmdline`)));
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
