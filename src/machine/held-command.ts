import { randomBytes } from "node:crypto";

import { Problem } from "../problem.ts";
import { AfterMark } from "./after-mark.ts";
import { elevator } from "./elevate.ts";
import { endHeld, removeHeld } from "./held-end.ts";
import { type HeldMachine, persist } from "./held-machine.ts";
import { answerMark, follower, loader, rest, starter, startFailures, supervisor } from "./held-programs.ts";
import { LineSplitter } from "./lines.ts";
import type { CommandOptions, CommandResult, Machine } from "./machine.ts";
import { quote } from "./quote.ts";
import { Tail } from "./tail.ts";

export type HeldCommand = {
  /** A program for sh; it may not hold a NUL. It is a file while it runs, so it holds no secrets. */
  readonly program: string | Uint8Array;
  readonly arguments?: readonly string[];
  /** What the program reads on its stdin: the way for secrets, in memory only. It may not hold a NUL. */
  readonly stdin?: string | Uint8Array;
  /** As root. */
  readonly sudo: boolean;
  /** Ends the program and everything that it started. */
  readonly signal: AbortSignal;
  readonly onLine?: CommandOptions["onLine"];
  /** Called when it runs: from now on its time counts. */
  readonly onStart?: () => void;
};

/** What was read of an output stays in the machine's memory until it is this much. */
const forgetEveryBytes = 16 * 1024 * 1024;

type Running = {
  readonly held: HeldMachine;
  readonly name: string;
  readonly directory: string;
  readonly bootId: string;
  readonly signal: AbortSignal;
};

/**
 * Runs a program that goes on when the connection is lost; we log in again and go on at the byte where we were. Each
 * line is told once, in the order of its stream. A shell tells a signal that ended a program as 128 and its number:
 * that is the `code`, and `signal` the name. Nothing is left on the machine in the end.
 */
export async function runHeld(held: HeldMachine, command: HeldCommand): Promise<CommandResult> {
  const { signal, onLine } = command;
  const name = `imgspec-${randomBytes(12).toString("hex")}`;
  try {
    const { directory, bootId } = await start(held, name, command);
    command.onStart?.();
    const running: Running = { held, name, directory, bootId, signal };
    const outputs = { stdout: newOutput("stdout", onLine), stderr: newOutput("stderr", onLine) };
    try {
      await follow(running, outputs);
      const code = await finish(running, outputs);
      return { ...toExit(code), stdout: outputs.stdout.tail.text(), stderr: outputs.stderr.tail.text() };
    } finally {
      outputs.stdout.lines.end();
      outputs.stderr.lines.end();
    }
  } catch (error) {
    await endHeld(held, name);
    throw error;
  } finally {
    await removeHeld(held, name);
  }
}

async function start(
  held: HeldMachine,
  name: string,
  { program, arguments: words = [], stdin = "", sudo, signal }: HeldCommand,
): Promise<{ directory: string; bootId: string }> {
  const payload = Buffer.concat([
    toAssignment("program", program),
    toAssignment("input", stdin),
    toAssignment("supervisor", supervisor),
    toAssignment("elevator", elevator),
  ]);
  // The line is never empty, since that would mean no root; a shell drops the blank.
  const command = toCommand([name, sudo ? ` ${words.map(quote).join(" ")}` : "", ...words]);
  const { code, stdout, stderr } = await persist(held, signal, (machine) => {
    const password = toAssignment("password", machine.sudoPassword ?? "");
    return machine.run(command, { signal, stdin: Buffer.concat([payload, password, Buffer.from(starter)]) });
  });
  const [directory, bootId = ""] = toAnswer(stdout);
  if (code === 0 && directory !== undefined) return { directory, bootId };
  const why = stderr.trim() || `exit ${code}`;
  if (code === startFailures.noRoot) {
    throw new Problem("command-failed", `the script cannot run as root: ${why}`, {
      hint: "connect.user must be root or may use sudo (with a password: connect.sudoPassword); or set sudo: false",
    });
  }
  throw new Problem("command-failed", `the machine did not start a command: ${why}`);
}

type Output = { readonly tail: Tail; readonly lines: LineSplitter; bytes: number; forgotten: number };

function newOutput(from: "stdout" | "stderr", onLine: CommandOptions["onLine"]): Output {
  return {
    tail: new Tail(),
    lines: new LineSplitter((line) => onLine?.(line, from)),
    bytes: 0,
    forgotten: 0,
  };
}

type Outputs = Readonly<Record<"stdout" | "stderr", Output>>;

async function follow(running: Running, outputs: Outputs): Promise<void> {
  const { held, signal } = running;
  let had = 0;
  const hadLife = (): boolean => {
    const now = outputs.stdout.bytes + outputs.stderr.bytes;
    const more = now > had;
    had = now;
    return more;
  };
  await persist(held, signal, (machine) => print(machine, follower, running, outputs), hadLife);
}

/** The end of both outputs and the exit code. */
async function finish(running: Running, outputs: Outputs): Promise<number> {
  const { held, signal, bootId } = running;
  const told = await persist(held, signal, (machine) => print(machine, rest, running, outputs));
  const [how = "gone", bootIdNow] = told;
  if (/^\d+$/.test(how)) return Number(how);
  throw new Problem("command-failed", whatHappened(how, bootId !== bootIdNow), {
    hint: "a script must neither reboot the machine nor end or remove what is not its own",
  });
}

/** Prints both outputs from where we are on, and tells how the command stood at first. */
async function print(
  machine: Machine,
  program: string,
  { directory, signal }: Running,
  outputs: Outputs,
): Promise<readonly string[]> {
  const listen = (output: Output, file: string): AfterMark =>
    new AfterMark(answerMark, (bytes) => {
      add(output, bytes);
      if (output.bytes - output.forgotten < forgetEveryBytes) return;
      output.forgotten = output.bytes;
      void forget(machine, `${directory}/${file}`, output.bytes, signal);
    });
  const after = { stdout: listen(outputs.stdout, "out"), stderr: listen(outputs.stderr, "err") };
  const words = [directory, String(outputs.stdout.bytes + 1), String(outputs.stderr.bytes + 1)];
  const { stderr } = await machine.run(toCommand(words), {
    signal,
    stdin: program,
    onChunk: (chunk, from) => after[from].push(chunk),
  });
  const told = after.stdout.words;
  if (told !== undefined) return told;
  throw new Problem(
    "command-failed",
    `the outputs of a command cannot be read: ${stderr.trim() || "no answer"}`,
  );
}

function add(output: Output, bytes: Uint8Array): void {
  output.bytes += bytes.length;
  output.tail.push(bytes);
  output.lines.push(bytes);
}

/** Gives back the memory of what was read. Where the machine cannot do that, it has to have enough. */
async function forget(machine: Machine, path: string, bytes: number, signal: AbortSignal): Promise<void> {
  const command = ["fallocate", "--punch-hole", "--offset", "0", "--length", String(bytes), path];
  await machine.run(command.map(quote).join(" "), { signal }).catch(() => undefined);
}

function whatHappened(how: string, rebooted: boolean): string {
  if (rebooted) return "the machine was started anew while a command ran on it";
  return how === "gone"
    ? "the directory of a command vanished while it ran"
    : "the shell that watched over a command was killed";
}

/** By the numbers that Linux gives on every processor. */
const signals: Readonly<Record<number, string>> = {
  1: "HUP",
  2: "INT",
  3: "QUIT",
  4: "ILL",
  6: "ABRT",
  8: "FPE",
  9: "KILL",
  11: "SEGV",
  13: "PIPE",
  14: "ALRM",
  15: "TERM",
};

function toExit(code: number): { readonly code: number; readonly signal: string | null } {
  return { code, signal: signals[code - 128] ?? null };
}

function toCommand(words: readonly string[]): string {
  return ["sh", "-c", loader, "sh", ...words].map(quote).join(" ");
}

function toAnswer(stdout: string): readonly string[] {
  const answer = new AfterMark(answerMark, () => undefined);
  answer.push(Buffer.from(stdout));
  return answer.words ?? [];
}

function toAssignment(name: string, content: string | Uint8Array): Buffer {
  // As Latin-1 every byte is a character, so that any bytes can be quoted.
  const word = quote(Buffer.from(content).toString("latin1"));
  return Buffer.from(`${name}=${word}\n`, "latin1");
}
