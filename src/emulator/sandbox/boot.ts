import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { chown, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Problem } from "../../problem.ts";
import { bootScript, type CopyMethod, readyMark, rebootMark } from "./boot-script.ts";
import type { IdMap } from "./id-map.ts";
import { startMapped } from "./user-namespace.ts";

/** Namespaces with processes in them. */
export type Booted = {
  /** The first process, as this machine counts. */
  readonly pid: number;
  /** What was written to the console so far, at most its last 64 KiB, as EC2 keeps them. */
  console(): string;
  /** Resolves when it asks to be started anew. */
  readonly rebooting: Promise<void>;
  /** Resolves when nothing in it runs any more. */
  readonly ended: Promise<void>;
  halt(): Promise<void>;
};

export type BootOptions = {
  readonly idMap: IdMap;
  /** The folder that holds roots and instances; the two below are relative to it. */
  readonly home: string;
  readonly root: string;
  readonly folder: string;
  readonly method: CopyMethod;
  readonly hostname: string;
  readonly initScript: string;
  readonly signal: AbortSignal;
};

/** Bytes, about. */
export const consoleLimit: number = 64 * 1024;

/** Makes namespaces over a private copy of a root tree and boots them; resolves when the first process says so. */
export async function boot(options: BootOptions): Promise<Booted> {
  const { idMap, home, root, folder, method, hostname, initScript, signal } = options;
  signal.throwIfAborted();
  for (const part of ["upper", "work", "root", "ephemeral"])
    await mkdirMapped(idMap, home, join(folder, part));
  const separate = ["--mount", "--pid", "--uts", "--ipc", "--net", "--fork", "--kill-child"];
  // A program in the instance may hold up the first process, which then sees no end of input: hence also the death signal.
  const command = ["setpriv", "--pdeathsig", "KILL", "unshare", ...separate, "/bin/sh", "-c", bootScript];
  const child = await startMapped(idMap, [...command, "sh", root, folder, method, hostname], home);
  const ended = once(child, "close").then(() => undefined);
  const log = collect(child);
  child.stdin.write(initScript);
  const halt = (): Promise<void> => {
    child.stdin.end();
    // The first process dies by its death signal, and the kernel ends all others before it is gone.
    child.kill("SIGKILL");
    return ended;
  };
  const giveUp = (): void => void halt();
  signal.addEventListener("abort", giveUp, { once: true });
  const pid = await Promise.race([log.pid, ended]);
  signal.removeEventListener("abort", giveUp);
  if (pid === undefined) {
    signal.throwIfAborted();
    throw new Problem("sandbox-unavailable", `the instance did not boot: ${lastLine(log.read())}`);
  }
  return { pid, console: log.read, rebooting: log.rebooting, ended, halt };
}

async function mkdirMapped({ kind, users, groups }: IdMap, home: string, path: string): Promise<void> {
  await mkdir(join(home, path), { recursive: true });
  const [user, group] = [users[0], groups[0]];
  if (kind === "delegated" && user && group) await chown(join(home, path), user.outside, group.outside);
}

function collect(child: ChildProcessWithoutNullStreams): {
  readonly read: () => string;
  readonly pid: Promise<number>;
  readonly rebooting: Promise<void>;
} {
  let log = "";
  const mark = new RegExp(`^${readyMark} (\\d+)\\r?\\n`, "m");
  const wish = new RegExp(`^${rebootMark}\\r?\\n`, "m");
  let onWish = (): void => undefined;
  const rebooting = new Promise<void>((resolve) => {
    onWish = resolve;
  });
  const pid = new Promise<number>((resolve) => {
    const listen = (chunk: string): void => {
      log += chunk;
      const ready = mark.exec(log);
      if (ready) {
        log = log.replace(mark, "");
        resolve(Number(ready[1]));
      }
      if (wish.test(log)) onWish();
      log = log.slice(-consoleLimit);
    };
    child.stdout.setEncoding("utf8").on("data", listen);
    child.stderr.setEncoding("utf8").on("data", listen);
  });
  return { read: () => log, pid, rebooting };
}

function lastLine(log: string): string {
  return log.trim().split("\n").at(-1) ?? "";
}
