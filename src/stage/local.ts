import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
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

async function attempt(input: LocalInput, context: StageContext): Promise<void> {
  const { signal } = context;
  // A process group of its own, so that what the command started ends with it. Its environment is the user's own,
  // as `sh -c` in their terminal would have it, and what the spec adds.
  const child = spawn("/bin/sh", ["-c", input.command], {
    cwd: input.workdir,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...toFacts(input.on), ...toValues(input.env, context) },
  });
  const end = () => kill(child.pid);
  signal.addEventListener("abort", end);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    end();
  }, input.timeoutSeconds * 1000);
  for (const output of [child.stdout, child.stderr]) {
    createInterface({ input: output }).on("line", (line) => context.log(line));
  }
  const { code, name } = await new Promise<{ code: number | null; name: string | null }>(
    (resolve, reject) => {
      child.on("error", reject);
      child.on("close", (exit, ended) => resolve({ code: exit, name: ended }));
    },
  ).finally(() => {
    clearTimeout(timer);
    signal.removeEventListener("abort", end);
  });
  signal.throwIfAborted();
  if (late) throw new Problem("command-timeout", `${input.label} took longer than ${input.timeoutSeconds} s`);
  if (code === 0) return;
  throw new Problem(
    "command-failed",
    `the local command of ${input.label} ${code === null ? `was ended by ${name}` : `exited with ${code}`}`,
    {
      hint: `it ran in ${input.workdir}: ${input.command.split("\n")[0] ?? ""}`,
    },
  );
}

function toFacts(on: LaunchedInstance): Record<string, string> {
  return {
    IMGSPEC_REGION: on.account.region,
    IMGSPEC_INSTANCE_ID: on.instanceId,
    IMGSPEC_HOST: on.host,
    IMGSPEC_PORT: String(on.port),
    IMGSPEC_USER: on.user,
    IMGSPEC_PRIVATE_KEY_PATH: on.privateKeyPath,
    IMGSPEC_HOST_KEY: on.hostKey,
  };
}

function kill(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGTERM");
    setTimeout(() => kill9(pid), 3000).unref();
  } catch {
    // It has ended already.
  }
}

function kill9(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended already.
  }
}
