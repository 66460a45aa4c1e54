import { type ChildProcessByStdio, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { Problem } from "../problem.ts";

export type ChildOptions = {
  readonly workdir: string;
  readonly env: NodeJS.ProcessEnv;
  /** Ends it with all that it started. */
  readonly signal: AbortSignal;
  /** Both outputs, line by line. */
  readonly onLine: (line: string) => void;
};

/** What programs of this machine have in their environment: the user's own, without the values of variables of the spec. */
export function ownEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("IMGSPEC_VAR_")));
}

export type ChildExit = { readonly code: number | null; readonly name: NodeJS.Signals | null };

/** How long what a program started has to end after SIGTERM. */
const graceMs = 3000;

type Child = ChildProcessByStdio<Writable | null, Readable, Readable>;

/** Runs a program of this machine to its end. Throws a Problem when it cannot be started, and the signal's reason. */
export async function runChild(
  [file, ...words]: readonly [string, ...string[]],
  { workdir, env, signal, onLine }: ChildOptions,
): Promise<ChildExit> {
  signal.throwIfAborted();
  // A process group of its own, so that what it starts ends with it.
  const child = spawn(file, words, { cwd: workdir, detached: true, stdio: ["ignore", "pipe", "pipe"], env });
  for (const output of [child.stdout, child.stderr]) createInterface({ input: output }).on("line", onLine);
  const cannotStart = (cause: Error): Problem =>
    new Problem("command-failed", `${file} cannot be started in ${workdir}`, {
      hint: "are the program and the directory there? workdir is relative to the spec",
      cause,
    });
  return endOf(child, cannotStart, signal);
}

/** Resolves when the program and all that holds its outputs is over; an abort ends its group, and is thrown. */
export async function endOf(
  child: Child,
  cannotStart: (cause: Error) => Problem,
  signal: AbortSignal,
): Promise<ChildExit> {
  const over = new Promise<ChildExit>((resolve, reject) => {
    child.once("close", (code, name) => resolve({ code, name }));
    child.once("error", (cause) => reject(cannotStart(cause)));
  });
  const aborted = new Promise<void>((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
  await Promise.race([over, aborted]);
  if (!signal.aborted) return over;
  await end(child, over);
  throw signal.reason;
}

async function end(child: Child, over: Promise<unknown>): Promise<void> {
  for (const name of ["SIGTERM", "SIGKILL"] as const) {
    // Also after the program itself has ended: what it started may go on without its outputs.
    kill(child.pid, name);
    await Promise.race([over, sleep(graceMs, undefined, { ref: false })]);
  }
  // A process that made itself a group of its own may still hold the outputs: it is not waited for.
  child.stdout.destroy();
  child.stderr.destroy();
}

function kill(pid: number | undefined, name: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, name);
  } catch {
    // It has ended already.
  }
}
