import { closeSync, openSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { ReadStream } from "node:tty";
import { withFiles } from "../bundle/file-problem.ts";
import { Problem } from "../problem.ts";

/** Holds the passphrase of encrypted private keys. */
const variable = "IMGSPEC_PASSPHRASE";

/** From the file, else from the environment, else asked for on the terminal. Never from an argument: those are public. */
export async function readPassphrase(
  keyPath: string,
  file: string | undefined,
  signal: AbortSignal,
): Promise<string> {
  if (file !== undefined) {
    const text = await withFiles(`cannot read the passphrase in ${file}`, () => readFile(file, "utf8"));
    return text.replace(/\r?\n$/, "");
  }
  const found = process.env[variable];
  return found ?? ask(`Passphrase of ${keyPath}: `, keyPath, signal);
}

/** The terminal itself, since stdin may be the image. */
async function ask(question: string, keyPath: string, signal: AbortSignal): Promise<string> {
  const descriptor = openTerminal(keyPath);
  const terminal = new ReadStream(descriptor);
  try {
    // No echo, not even of who types at once; and Ctrl-C arrives as a character.
    terminal.setRawMode(true);
    process.stderr.write(question);
    return await readLine(terminal, signal);
  } finally {
    terminal.setRawMode(false);
    terminal.destroy();
    process.stderr.write("\n");
  }
}

function openTerminal(keyPath: string): number {
  try {
    const descriptor = openSync("/dev/tty", "r");
    if (process.stderr.isTTY) return descriptor;
    closeSync(descriptor);
  } catch {
    // No terminal: there is nobody to ask.
  }
  throw new Problem("usage-wrong", `the private key ${keyPath} is encrypted with a passphrase`, {
    hint: `give it with --passphrase-file PATH or in ${variable}`,
  });
}

function readLine(terminal: ReadStream, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    let line = "";
    terminal.setEncoding("utf8");
    terminal.on("data", (keys: string) => {
      for (const key of keys) {
        if (ends.has(key)) return resolve(line);
        if (key === interruptKey) return reject(new Problem("interrupted", "stopped by Ctrl-C"));
        line = typed(line, key);
      }
      return undefined;
    });
    terminal.on("error", reject);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

/** Enter, and the end of input. */
const ends: ReadonlySet<string> = new Set(["\r", "\n", "\x04"]);
const interruptKey = "\x03";

/** The line after a key: rubout takes back a character, Ctrl-U all of them. */
function typed(line: string, key: string): string {
  if (key === "\x7f" || key === "\b") return [...line].slice(0, -1).join("");
  return key === "\x15" ? "" : line + key;
}
