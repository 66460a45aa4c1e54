import { type ChildProcessByStdio, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { Problem } from "../problem.ts";
import type { LaunchedInstance } from "./launch.ts";
import { type EnvironmentInput, retrying, toValues } from "./shell.ts";
import type { Stage, StageContext } from "./stage.ts";

export type LocalInput = {
  readonly on: LaunchedInstance;
  readonly command: string;
  readonly env: EnvironmentInput;
  readonly workdir: string;
  readonly timeoutSeconds: number;
  readonly retries: number;
  readonly label: string;
};

/** A command of the user's on the builder, told where the instance is by IMGSPEC_* variables. */
export const local: Stage<LocalInput, LaunchedInstance> = {
  kind: "provision.local",
  title: "Run a command here",
  exitCode: 5,
  run: async (input, context) => {
    await retrying(input, context, () => attempt(input, context));
    return input.on;
  },
};

/** How long what the command started has to end after SIGTERM. */
const graceMs = 3000;

type Child = ChildProcessByStdio<Writable | null, Readable, Readable>;
export type Exit = { readonly code: number | null; readonly name: NodeJS.Signals | null };

async function attempt(input: LocalInput, context: StageContext): Promise<void> {
  const { command, label, workdir, timeoutSeconds } = input;
  context.signal.throwIfAborted();
  // A process group of its own, so that what the command started ends with it. Its environment is the user's own,
  // as `sh -c` in their terminal would have it, and what the spec adds.
  const child = spawn("/bin/sh", ["-c", command], {
    cwd: workdir,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...toFacts(input.on, context), ...toValues(input.env, context) },
  });
  for (const output of [child.stdout, child.stderr]) {
    createInterface({ input: output }).on("line", (line) => context.log(line));
  }
  using deadline = toDeadline(`the local command of ${label}`, timeoutSeconds);
  const cannotStart = (cause: Error): Problem =>
    new Problem("command-failed", `/bin/sh cannot be started in ${workdir}`, {
      hint: "is the directory there? workdir is relative to the spec",
      cause,
    });
  const { code, name } = await endOf(child, cannotStart, AbortSignal.any([context.signal, deadline.signal]));
  if (code === 0) return;
  throw new Problem(
    "command-failed",
    `the local command of ${label} ${code === null ? `was ended by ${name}` : `exited with ${code}`}`,
    { hint: `it ran in ${workdir}: ${command.split("\n")[0] ?? ""}` },
  );
}

/** Resolves when the command and all that holds its outputs is over; an abort ends the group, and is thrown. */
export async function endOf(
  child: Child,
  cannotStart: (cause: Error) => Problem,
  signal: AbortSignal,
): Promise<Exit> {
  const over = new Promise<Exit>((resolve, reject) => {
    child.once("close", (code, name) => resolve({ code, name }));
    child.once("error", (cause) => reject(cannotStart(cause)));
  });
  const aborted = new Promise<void>((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
  await Promise.race([over, aborted]);
  if (!signal.aborted) return over;
  for (const name of ["SIGTERM", "SIGKILL"] as const) {
    // Also after the shell itself has ended: what it started may go on without its outputs.
    kill(child.pid, name);
    await Promise.race([over, sleep(graceMs, undefined, { ref: false })]);
  }
  // A process that made itself a group of its own may still hold the outputs: it is not waited for.
  child.stdout.destroy();
  child.stderr.destroy();
  throw signal.reason;
}

function toFacts({ account, ...on }: LaunchedInstance, { cloud }: StageContext): Record<string, string> {
  const { networkProxy } = cloud.options;
  return {
    IMGSPEC_REGION: account.region,
    IMGSPEC_INSTANCE_ID: on.instanceId,
    IMGSPEC_HOST: on.host,
    IMGSPEC_PORT: String(on.port),
    IMGSPEC_USER: on.user,
    IMGSPEC_PRIVATE_KEY_PATH: on.privateKeyPath,
    IMGSPEC_HOST_KEY: on.hostKey,
    ...(networkProxy === undefined ? {} : { IMGSPEC_PROXY: networkProxy }),
  };
}

export function toDeadline(what: string, seconds: number): Disposable & { readonly signal: AbortSignal } {
  const late = new AbortController();
  const problem = new Problem("command-timeout", `${what} took longer than ${seconds} s`);
  const timer = setTimeout(() => late.abort(problem), seconds * 1000);
  return { signal: late.signal, [Symbol.dispose]: () => clearTimeout(timer) };
}

function kill(pid: number | undefined, name: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, name);
  } catch {
    // It has ended already.
  }
}
