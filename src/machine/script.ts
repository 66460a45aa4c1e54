import { randomBytes } from "node:crypto";

import { Problem } from "../problem.ts";
import { elevate } from "./elevate.ts";
import type { CommandOptions, CommandResult, Machine } from "./machine.ts";
import { quote } from "./quote.ts";

export type ScriptOptions = {
  /** The program, with its shebang; without one it is a program for sh. */
  readonly text: string | Uint8Array;
  readonly env: Readonly<Record<string, string>>;
  readonly sudo: boolean;
  /** Remote directory; null: the user's home. */
  readonly workdir: string | null;
  readonly timeoutSeconds: number;
  readonly signal: AbortSignal;
  readonly onLine?: CommandOptions["onLine"];
};

const cleaningMs = 15_000;

/** Makes a directory that only the user can enter and that files can be run in (/tmp may be mounted noexec). */
const makeDirectory = `umask 077
for base in "\${TMPDIR:-/tmp}" "$HOME" /var/tmp /run; do
  dir=$base/$1
  mkdir "$dir" 2>/dev/null || continue
  printf '#!/bin/sh\\n' >"$dir/try" && chmod 700 "$dir/try" && "$dir/try" 2>/dev/null && rm "$dir/try" && echo "$dir" && exit
  rm -rf "$dir"
done
echo "no directory in which files can be made and run" >&2
exit 1
`;

/** Takes the environment from stdin, where no other process sees it, and becomes the script. */
const loader = `eval "$(cat)"
case $2 in
  '') ;;
  "~/"*) cd "$HOME/\${2#??}" || exit 1 ;;
  *) cd "$2" || exit 1 ;;
esac
exec "$1" </dev/null
`;

/**
 * Runs a program on a machine and removes it, however it ended. A non-zero exit is a result. Throws the Problem
 * `command-timeout` after ending everything that the program started.
 */
export async function runScript(machine: Machine, options: ScriptOptions): Promise<CommandResult> {
  const { text, env, sudo, workdir, timeoutSeconds, signal, onLine } = options;
  const stdin = toExports(env);
  if (sudo) await checkSudo(machine, signal);
  const name = `imgspec-${randomBytes(8).toString("hex")}`;
  try {
    const directory = await prepare(machine, name, signal);
    const path = `${directory}/script`;
    await machine.write(text, path, { mode: 0o700, signal });
    const words = ["sh", "-c", loader, "sh", path, workdir ?? ""];
    const command = sudo ? elevate(words) : words.map(quote).join(" ");
    using deadline = toDeadline(timeoutSeconds);
    return await machine.run(command, {
      signal: AbortSignal.any([signal, deadline.signal]),
      stdin,
      ...(onLine === undefined ? {} : { onLine }),
    });
  } finally {
    await remove(machine, name, sudo);
  }
}

async function prepare(machine: Machine, name: string, signal: AbortSignal): Promise<string> {
  const command = ["sh", "-c", makeDirectory, "sh", name].map(quote).join(" ");
  const { code, stdout, stderr } = await machine.run(command, { signal });
  // A login shell may greet first, so only the last line counts.
  const directory = stdout.trimEnd().split("\n").at(-1) ?? "";
  if (code === 0 && directory.endsWith(name)) return directory;
  throw new Problem(
    "command-failed",
    `the machine has no place for the script: ${stderr.trim() || `exit ${code}`}`,
  );
}

async function checkSudo(machine: Machine, signal: AbortSignal): Promise<void> {
  const { code, stderr } = await machine.run(elevate(["true"]), { signal });
  if (code === 0) return;
  throw new Problem("command-failed", `the script cannot run as root: ${stderr.trim() || `exit ${code}`}`, {
    hint: "connect.user must be root or may use sudo without a password; or set sudo: false",
  });
}

/** Under the name it may have got, in all the places where it may be: the answer that told the place may be lost. */
async function remove(machine: Machine, name: string, sudo: boolean): Promise<void> {
  const program = `rm -rf "\${TMPDIR:-/tmp}/$1" "$HOME/$1" "/var/tmp/$1" "/run/$1"`;
  const words = ["sh", "-c", program, "sh", name];
  const signal = AbortSignal.timeout(cleaningMs);
  // The script's own end is what matters; when the connection is gone, so is the machine.
  await machine.run(words.map(quote).join(" "), { signal }).catch(() => undefined);
  if (sudo) await machine.run(elevate(words), { signal }).catch(() => undefined);
}

function toExports(env: Readonly<Record<string, string>>): string {
  const lines = Object.entries(env).map(([name, value]) => {
    if (!/^[A-Za-z_]\w*$/.test(name)) {
      throw new Problem("spec-invalid", `"${name}" cannot be the name of an environment variable`);
    }
    if (value.includes("\0")) throw new Problem("spec-invalid", `the value of ${name} holds a NUL character`);
    return `export ${name}=${quote(value)}`;
  });
  return `${lines.join("\n")}\n`;
}

function toDeadline(seconds: number): Disposable & { readonly signal: AbortSignal } {
  const deadline = new AbortController();
  const onTime = (): void =>
    deadline.abort(
      new Problem("command-timeout", `the script did not end within ${seconds} s`, {
        hint: "raise the step's timeout, if it is not stuck waiting for input (its stdin is empty)",
      }),
    );
  const timer = setTimeout(onTime, seconds * 1000);
  return { signal: deadline.signal, [Symbol.dispose]: () => clearTimeout(timer) };
}
