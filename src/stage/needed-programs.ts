import { Problem } from "../problem.ts";
import { ownEnvironment, runChild } from "./child.ts";
import { toDeadline } from "./deadline.ts";
import type { StageContext } from "./stage.ts";

/** A program of this machine: a name in the PATH, or an absolute path. */
export type NeededProgram = {
  readonly command: string;
  /** The step that needs it, `provision[2]`. */
  readonly label: string;
};

/** Python may have to compile itself first. */
const longestStartSeconds = 60;

/** Whether Ansible can be started, before anything costs money. Throws `preflight-failed`. */
export async function checkPrograms(
  programs: readonly NeededProgram[],
  { signal, log }: StageContext,
): Promise<void> {
  if (programs.length === 0) return;
  for (const { command, label } of programs) {
    const [version = ""] = await answerOf([command, "--version"], label, signal, {
      missing:
        "install Ansible (pipx install ansible-core, apt-get install ansible-core), or name its program as command",
    });
    log(version.trim());
  }
  const [{ label }] = programs as readonly [NeededProgram];
  await answerOf(["ssh", "-V"], label, signal, {
    missing: "Ansible needs OpenSSH's client: install openssh-client",
  });
}

async function answerOf(
  words: readonly [string, ...string[]],
  label: string,
  signal: AbortSignal,
  { missing }: { readonly missing: string },
): Promise<readonly string[]> {
  const [command] = words;
  const lines: string[] = [];
  const unusable = (why: string, hint: string, cause?: unknown): Problem =>
    new Problem("preflight-failed", `${command}, which ${label} runs on this machine, ${why}`, {
      hint,
      cause,
    });
  using deadline = toDeadline(unusable("does not answer", `try: ${words.join(" ")}`), longestStartSeconds);
  try {
    const { code } = await runChild(words, {
      workdir: "/",
      env: ownEnvironment(),
      signal: AbortSignal.any([signal, deadline.signal]),
      onLine: (line) => lines.push(line),
    });
    if (code === 0) return lines;
  } catch (cause) {
    if (cause instanceof Problem && cause.code === "command-failed")
      throw unusable("cannot be started", missing, cause);
    throw cause;
  }
  throw unusable(`does not work: ${lines.at(-1) ?? "it says nothing"}`, `try: ${words.join(" ")}`);
}
