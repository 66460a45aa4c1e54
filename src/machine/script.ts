import { randomBytes } from "node:crypto";

import { Problem } from "../problem.ts";
import { elevate } from "./elevate.ts";
import { runHeld } from "./held-command.ts";
import { type HeldMachine, persist } from "./held-machine.ts";
import type { CommandOptions, CommandResult } from "./machine.ts";
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

/**
 * Puts the script where files can be run (/tmp may be mounted noexec), takes the environment from stdin, where no other
 * process sees it, and runs it; $1 the name of the directory, $2 where to run. Finds `put`, which prints the script.
 */
const program = `mask=$(umask)
umask 077
for base in "\${TMPDIR:-/tmp}" "$HOME" /var/tmp /run; do
  dir=$base/$1
  mkdir "$dir" 2>/dev/null || continue
  printf '#!/bin/sh\\n' >"$dir/script" && chmod 700 "$dir/script" && "$dir/script" 2>/dev/null && break
  rm -rf "$dir"
  dir=
done
[ -d "$dir" ] || { echo "no directory in which files can be made and run" >&2; exit 1; }
umask "$mask"
run() {
  put >"$dir/script" || return 1
  eval "$(cat)"
  case $1 in
    '') ;;
    "~/"*) cd "$HOME/\${1#??}" || return 1 ;;
    *) cd "$1" || return 1 ;;
  esac
  # The shell itself has something to say of a script that a signal ended.
  ((exec "$dir/script" </dev/null 2>&3 3>&-); exit "$?") 3>&2 2>/dev/null
}
run "$2"
code=$?
rm -rf "$dir"
exit "$code"
`;

/**
 * Runs a program on a machine and removes it, however it ended; it goes on when the connection is lost. A non-zero exit
 * is a result, told as a shell tells it (`runHeld`). Throws the Problem `command-timeout` after ending everything that
 * the program started.
 */
export async function runScript(held: HeldMachine, options: ScriptOptions): Promise<CommandResult> {
  const { text, env, sudo, workdir, timeoutSeconds, signal, onLine } = options;
  const stdin = toExports(env);
  const name = `imgspec-${randomBytes(8).toString("hex")}`;
  using deadline = toDeadline(timeoutSeconds);
  try {
    return await runHeld(held, {
      program: Buffer.concat([toPut(text), Buffer.from(program)]),
      arguments: [name, workdir ?? ""],
      stdin,
      sudo,
      signal: AbortSignal.any([signal, deadline.signal]),
      onStart: deadline.start,
      ...(onLine === undefined ? {} : { onLine }),
    });
  } catch (error) {
    await remove(held, name, sudo);
    throw error;
  }
}

/** A function that prints these bytes, whatever they are. */
function toPut(text: string | Uint8Array): Buffer {
  // As Latin-1 every byte is a character. Only a format of printf can stand for a NUL.
  const format = Buffer.from(text).toString("latin1").replace(/[\\%]/g, "$&$&").replaceAll("\0", "\\000");
  return Buffer.from(`put() {\nprintf ${quote(format)}\n}\n`, "latin1");
}

/** In all the places where it may be. */
async function remove(held: HeldMachine, name: string, sudo: boolean): Promise<void> {
  const words = ["sh", "-c", `rm -rf "\${TMPDIR:-/tmp}/$1" "$HOME/$1" "/var/tmp/$1" "/run/$1"`, "sh", name];
  const command = sudo ? elevate(words) : words.map(quote).join(" ");
  const signal = AbortSignal.timeout(cleaningMs);
  // Why the script did not end by itself is what matters; when the machine is gone, so is the file.
  await persist(held, signal, (machine) => machine.run(command, { signal })).catch(() => undefined);
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

type Deadline = Disposable & { readonly signal: AbortSignal; readonly start: () => void };

function toDeadline(seconds: number): Deadline {
  const deadline = new AbortController();
  const onTime = (): void =>
    deadline.abort(
      new Problem("command-timeout", `the script did not end within ${seconds} s`, {
        hint: "raise the step's timeout, if it is not stuck waiting for input (its stdin is empty)",
      }),
    );
  let timer: NodeJS.Timeout | undefined;
  return {
    signal: deadline.signal,
    start: () => {
      timer = setTimeout(onTime, seconds * 1000);
    },
    [Symbol.dispose]: () => clearTimeout(timer),
  };
}
