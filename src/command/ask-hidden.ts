import { closeSync, openSync } from "node:fs";
import { ReadStream } from "node:tty";
import { Problem } from "../problem.ts";

/**
 * A line that is typed at the terminal and not shown, `undefined` where there is no terminal. It is asked at the terminal itself, since
 * standard input may be something else. Throws `interrupted` at Ctrl-C.
 */
export async function askHidden(question: string, signal: AbortSignal): Promise<string | undefined> {
  const descriptor = openTerminal();
  if (descriptor === undefined) return undefined;
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

function openTerminal(): number | undefined {
  try {
    const descriptor = openSync("/dev/tty", "r");
    if (process.stderr.isTTY) return descriptor;
    closeSync(descriptor);
  } catch {
    // No terminal: there is nobody to ask.
  }
  return undefined;
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
