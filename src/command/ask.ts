import type { Interrupt } from "./interrupt.ts";

/** Whether there is somebody at a terminal who can be asked. */
export function canAsk(): boolean {
  return Boolean(process.stdin.isTTY && process.stderr.isTTY);
}

/** The answer of whoever sits at the terminal, empty when they end the input. Rejects with the interrupt's reason. */
export async function ask(question: string, interrupt: Pick<Interrupt, "signal" | "end">): Promise<string> {
  const { signal } = interrupt;
  const { createInterface } = await import("node:readline/promises");
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  // While a line is read, Ctrl-C is a character and no signal.
  terminal.on("SIGINT", () => interrupt.end("Ctrl-C"));
  try {
    return await new Promise<string>((resolve, reject) => {
      terminal.once("close", () => resolve(""));
      terminal.question(question, { signal }).then(resolve, () => reject(signal.reason));
    });
  } finally {
    terminal.close();
    process.stderr.write("\n".repeat(signal.aborted ? 1 : 0));
  }
}
