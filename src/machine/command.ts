import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { ClientChannel } from "ssh2";

import { Problem } from "../problem.ts";
import type { Link } from "./link.ts";
import { markCommand, toReaper } from "./reaper.ts";

export type Exit = { readonly code: number | null; readonly signal: string | null };

/** A command that runs on a machine. Whoever opened it has to read both its outputs. */
export type RunningCommand = {
  readonly channel: ClientChannel;
  /** Settles when the command is over: rejects with the signal's reason, or with a Problem when the connection is lost. */
  readonly exit: Promise<Exit>;
};

/** How long a command has to end after each signal before the next, harder one. */
const graceMs = 2000;

/** Starts a command line in the login shell of the user. An abort ends it on the machine, too. */
export async function open(
  link: Link,
  commandLine: string,
  { signal, pty = false }: { readonly signal: AbortSignal; readonly pty?: boolean },
): Promise<RunningCommand> {
  signal.throwIfAborted();
  link.lost.throwIfAborted();
  const token = randomBytes(12).toString("hex");
  const channel = await execute(link, markCommand(token, commandLine), pty);
  // Writing to a command that does not read is no failure of its own: its exit tells.
  channel.on("error", () => undefined);
  return { channel, exit: watch(link, channel, token, signal) };
}

function execute(link: Link, commandLine: string, pty: boolean): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    const onLost = (): void => reject(link.lost.reason);
    link.lost.addEventListener("abort", onLost, { once: true });
    const refuse = (error: unknown): void => {
      const told = error instanceof Error ? error.message : String(error);
      const message = `${link.name} did not start a command: ${told}`;
      reject(link.lost.aborted ? link.lost.reason : new Problem("connect-failed", message, { cause: error }));
    };
    try {
      link.client.exec(commandLine, { pty }, (error, channel) => {
        link.lost.removeEventListener("abort", onLost);
        if (error === undefined) resolve(channel);
        else refuse(error);
      });
    } catch (error) {
      // ssh2 throws at once when its socket is already closed.
      link.lost.removeEventListener("abort", onLost);
      refuse(error);
    }
  });
}

async function watch(link: Link, channel: ClientChannel, token: string, signal: AbortSignal): Promise<Exit> {
  let exit: Exit | undefined;
  channel.on("exit", (code: number | null, name?: string) => {
    // ssh2 gives the name as Node does; SSH itself (RFC 4254, 6.10) and our contract have it without SIG.
    exit = { code, signal: name?.replace(/^SIG/, "") ?? null };
  });
  const closed = Promise.all([
    new Promise<void>((resolve) => channel.once("close", () => resolve())),
    new Promise<void>((resolve) => channel.stderr.once("close", () => resolve())),
  ]).then(() => undefined);
  const stop = AbortSignal.any([signal, link.lost]);
  try {
    await Promise.race([closed, aborted(stop)]);
  } catch (reason) {
    // Nobody may be reading any more, and a channel with unread data never closes.
    channel.resume();
    channel.stderr.resume();
    if (!link.lost.aborted) await end(link, channel, token, closed);
    throw reason;
  }
  if (exit !== undefined) return exit;
  // ssh2 ends the channels of a broken connection as if all were well; it reports the connection a little later.
  await Promise.race([sleep(100), aborted(link.lost)]);
  throw new Problem("connect-failed", `${link.name} ended a command without telling its exit code`);
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

/**
 * Ends a command that is no longer wanted. The SSH request for a signal is not enough: sshd before 7.9 ignores it,
 * and newer ones refuse it in some set-ups, so a second command looks for the processes.
 */
async function end(link: Link, channel: ClientChannel, token: string, closed: Promise<void>): Promise<void> {
  let over = false;
  void closed.then(() => {
    over = true;
  });
  for (const name of ["TERM", "KILL"] as const) {
    const signaled = signalAll(link, channel, token, name);
    await Promise.race([Promise.all([closed, signaled]), sleep(graceMs), aborted(link.lost)]).catch(
      () => undefined,
    );
    if (over || link.lost.aborted) return;
  }
  channel.close();
}

async function signalAll(
  link: Link,
  channel: ClientChannel,
  token: string,
  name: "TERM" | "KILL",
): Promise<void> {
  channel.signal(name);
  const { command, stdin } = toReaper(token, name);
  const reaper = await execute(link, command, false);
  reaper.on("error", () => undefined).resume();
  reaper.stderr.resume();
  reaper.end(stdin);
  await new Promise<void>((resolve) => reaper.once("close", () => resolve()));
}
