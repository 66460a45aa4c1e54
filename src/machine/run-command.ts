import { open, type RunningCommand } from "./command.ts";
import { LineSplitter } from "./lines.ts";
import type { Link } from "./link.ts";
import type { CommandOptions, CommandResult, CommandStream } from "./machine.ts";
import { Tail } from "./tail.ts";

/** A daemon that a command left behind may hold its outputs open for ever; silence after the exit ends the wait. */
const silenceAfterExitMs = 5000;

/** Runs a command to its end, keeping the last of what it said. */
export async function runCommand(
  link: Link,
  command: string,
  options: CommandOptions,
): Promise<CommandResult> {
  const running = await open(link, command, options);
  const [stdout, stderr] = [listen(running, "stdout", options), listen(running, "stderr", options)];
  running.channel.end(options.stdin);
  closeWhenSilent(running);
  const exit = await running.exit.finally(() => {
    stdout.lines.end();
    stderr.lines.end();
  });
  return { ...exit, stdout: stdout.tail.text(), stderr: stderr.tail.text() };
}

/** Starts a command whose stdout is read as it comes; nothing is read ahead of the reader but the SSH window. */
export async function streamCommand(
  link: Link,
  command: string,
  options: CommandOptions,
): Promise<CommandStream> {
  const abandoned = new AbortController();
  const signal = AbortSignal.any([options.signal, abandoned.signal]);
  const running = await open(link, command, { ...options, signal });
  const stderr = listen(running, "stderr", options);
  running.channel.end(options.stdin);
  const result = running.exit
    .finally(() => stderr.lines.end())
    .then((exit) => ({ ...exit, stderr: stderr.tail.text() }));
  // The reader of stdout hears of it as well, and may be the only one who listens.
  result.catch(() => undefined);
  const abandon = (): void => abandoned.abort(new Error("the output of the command is no longer read"));
  return { stdout: chunksOf(running, signal, abandon), result };
}

function listen(
  { channel }: RunningCommand,
  from: "stdout" | "stderr",
  { onLine, onChunk }: CommandOptions,
): { tail: Tail; lines: LineSplitter } {
  const tail = new Tail();
  const lines = new LineSplitter((line) => onLine?.(line, from));
  (from === "stdout" ? channel : channel.stderr).on("data", (chunk: Buffer) => {
    tail.push(chunk);
    onChunk?.(chunk, from);
    if (onLine !== undefined) lines.push(chunk);
  });
  return { tail, lines };
}

async function* chunksOf(
  running: RunningCommand,
  signal: AbortSignal,
  abandon: () => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { channel } = running;
  const queue: Uint8Array[] = [];
  let state: "running" | "over" | { readonly reason: unknown } = "running";
  let wake = (): void => undefined;
  channel.on("data", (chunk: Buffer) => {
    // Once it is being ended the rest has to flow away, or the channel would never close.
    if (signal.aborted) return;
    queue.push(chunk);
    channel.pause();
    wake();
  });
  // ssh2 does not say that an end came from a lost connection, so only the exit proves that all was read.
  running.exit.then(
    () => {
      state = "over";
      wake();
    },
    (reason: unknown) => {
      state = { reason };
      wake();
    },
  );
  try {
    for (;;) {
      for (const chunk of queue.splice(0)) yield chunk;
      const now = state as "running" | "over" | { readonly reason: unknown };
      if (typeof now === "object") throw now.reason;
      if (now === "over") return;
      await new Promise<void>((resolve) => {
        wake = resolve;
        channel.resume();
      });
    }
  } finally {
    abandon();
  }
}

function closeWhenSilent({ channel, exited }: RunningCommand): void {
  let timer: NodeJS.Timeout | undefined;
  const wait = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => channel.close(), silenceAfterExitMs);
  };
  let closed = false;
  void exited.then(() => {
    if (closed) return;
    wait();
    channel.on("data", wait);
    channel.stderr.on("data", wait);
  });
  channel.once("close", () => {
    closed = true;
    clearTimeout(timer);
    channel.off("data", wait);
    channel.stderr.off("data", wait);
  });
}
