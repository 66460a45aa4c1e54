import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Duplex } from "node:stream";
import { Problem } from "../../problem.ts";
import { askForPort } from "./control.ts";

/** A virtual machine that runs. */
export type VirtualMachine = {
  /** The loopback port that leads to port 22 in it. */
  readonly port: number;
  /** The last that it wrote to its serial port, as much as EC2 keeps. */
  console(): string;
  halt(): Promise<void>;
};

const consoleLimit = 64 * 1024;

/** Starts QEMU; it does not outlive this process, however that ends. */
export async function startMachine(
  command: readonly string[],
  folder: string,
  signal: AbortSignal,
): Promise<VirtualMachine> {
  const [program = "", ...rest] = command;
  const child = spawn(program, rest, {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe", "pipe"],
    // Its temporary disk has no name there, and goes with it. It needs nothing else of our environment.
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", TMPDIR: folder },
  });
  const ended = once(child, "close").then(() => undefined);
  let log = "";
  let complaints = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    log = (log + text).slice(-consoleLimit);
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    complaints = (complaints + text).slice(-consoleLimit);
  });
  const halt = async (): Promise<void> => {
    child.kill("SIGKILL");
    await ended;
  };
  const giveUp = (): void => void halt();
  signal.addEventListener("abort", giveUp, { once: true });
  try {
    // A pipe beyond the third is a socket, both ways (Node's documentation of options.stdio).
    const port = await askForPort(child.stdio[3] as Duplex);
    return { port, console: () => log, halt };
  } catch (cause) {
    await halt();
    signal.throwIfAborted();
    const why = complaints.trim().split("\n").at(-1) ?? "";
    throw new Problem("vm-unavailable", `QEMU did not start: ${why}`, { cause });
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
}
