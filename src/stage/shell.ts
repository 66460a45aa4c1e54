import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { runScript } from "../machine/script.ts";
import { Problem } from "../problem.ts";
import { digestOfPath } from "../util/digest-of-path.ts";
import type { LaunchedInstance } from "./launch.ts";
import type { Stage, StageContext } from "./stage.ts";
import { hold } from "./trust.ts";

/** A value, or the name of one that must not be seen (`StageContext.secret`). */
export type EnvironmentInput = { readonly [name: string]: string | { readonly $secret: string } };

export type ShellInput = {
  readonly on: LaunchedInstance;
  /** `contents`: the SHA-256 of the file when the plan was made, so that a changed script is a changed task. */
  readonly script: { readonly path: string; readonly contents: string } | { readonly inline: string };
  readonly env: EnvironmentInput;
  readonly sudo: boolean;
  readonly workdir: string | null;
  readonly exitCodes: readonly number[];
  readonly timeoutSeconds: number;
  readonly retries: number;
  /** Where the step stands in the spec: `provision[2]`. */
  readonly label: string;
};

export const shell: Stage<ShellInput, LaunchedInstance> = {
  kind: "provision.shell",
  title: "Run a script",
  exitCode: 5,
  run: async (input, context) => {
    const text = "path" in input.script ? await readScript(input.script) : toScript(input.script.inline);
    await retrying(input, context, () => attempt(input, text, context));
    return input.on;
  },
};

/** What runs is what was planned: the spec may be an hour old by now. */
async function readScript({
  path,
  contents,
}: {
  readonly path: string;
  readonly contents: string;
}): Promise<Uint8Array> {
  try {
    const text = await readFile(path);
    const changed = contents !== "" && (await digestOfPath(path)) !== contents;
    if (!changed) return text;
  } catch (cause) {
    throw new Problem("command-failed", `the script ${path} cannot be read any more`, {
      hint: "leave the files of a spec in place until its build is done",
      cause,
    });
  }
  throw new Problem("command-failed", `the script ${path} was changed after the build had begun`, {
    hint: "build again, and leave it as it is meanwhile",
  });
}

async function attempt(input: ShellInput, text: string | Uint8Array, context: StageContext): Promise<void> {
  await using held = hold(input.on, context);
  const { code, signal } = await runScript(held, {
    text,
    env: toValues(input.env, context),
    sudo: input.sudo,
    workdir: input.workdir,
    timeoutSeconds: input.timeoutSeconds,
    signal: context.signal,
    onLine: (line) => context.log(line),
  });
  if (code !== null && input.exitCodes.includes(code)) return;
  const name = "path" in input.script ? input.script.path : "the inline script";
  const how = signal === null ? `exited with ${code}` : `was ended by SIG${signal} (exit code ${code})`;
  throw new Problem("command-failed", `${name} (${input.label}) ${how}`, {
    hint: `exit codes that count as success: ${input.exitCodes.join(", ")}`,
  });
}

/** Runs a step again after a failure, as often as the spec allows, waiting 1 s, 2 s, 4 s … (at most 30 s) in between. */
export async function retrying(
  { retries, label }: { readonly retries: number; readonly label: string },
  { signal, log }: StageContext,
  attemptOnce: () => Promise<void>,
): Promise<void> {
  for (let round = 0; ; round++) {
    try {
      await attemptOnce();
      return;
    } catch (error) {
      if (!(error instanceof Problem) || round >= retries || signal.aborted) throw error;
      const pauseMs = Math.min(2 ** round, 30) * 1000;
      log(`${error.message}; ${label} again in ${pauseMs / 1000} s (${round + 1} of ${retries} retries)`);
      await sleep(pauseMs, undefined, { signal });
    }
  }
}

/** The environment with its secrets looked up: only for stdin of what runs. */
export function toValues(env: EnvironmentInput, context: StageContext): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).map(([name, value]) => [
      name,
      typeof value === "string" ? value : context.secret(value),
    ]),
  );
}

/** Inline text without a shebang stops at its first failing command, so that no failure is swallowed. */
function toScript(inline: string): string {
  return inline.startsWith("#!") ? inline : `#!/bin/sh\nset -eu\n${inline}\n`;
}
