import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { ClientChannel } from "ssh2";

import { Problem } from "../problem.ts";
import { withPassword } from "./elevate.ts";
import type { Link } from "./link.ts";
import { markCommand, toReaper } from "./reaper.ts";

type Exit = { readonly code: number | null; readonly signal: string | null };

/** A command that runs on a machine. Whoever opened it has to read both its outputs. */
export type RunningCommand = {
  readonly channel: ClientChannel;
  /** The exit alone: its outputs may still be on the way, or held open by a child. Pending when there is none. */
  readonly exited: Promise<Exit>;
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
  const started = await execute(link, markCommand(token, commandLine), pty);
  return { ...started, exit: watch(link, started, token, signal) };
}

type Started = { readonly channel: ClientChannel; readonly exited: Promise<Exit> };

function execute(link: Link, commandLine: string, pty: boolean): Promise<Started> {
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
        if (error === undefined) resolve(listen(channel));
        else refuse(error);
      });
    } catch (error) {
      // ssh2 throws at once when its socket is already closed.
      link.lost.removeEventListener("abort", onLost);
      refuse(error);
    }
  });
}

/** At once and not after an await: the exit of a short command comes in the same packet as its start. */
function listen(channel: ClientChannel): Started {
  const exited = new Promise<Exit>((resolve) => {
    channel.once("exit", (code: number | null, name?: string) => {
      // ssh2 gives the name as Node does; SSH itself (RFC 4254, 6.10) and our contract have it without SIG.
      resolve({ code, signal: name?.replace(/^SIG/, "") ?? null });
    });
  });
  // Writing to a command that does not read is no failure of its own: its exit tells.
  channel.on("error", () => undefined);
  return { channel, exited };
}

async function watch(
  link: Link,
  { channel, exited }: Started,
  token: string,
  signal: AbortSignal,
): Promise<Exit> {
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
  // ssh2 ends the channels of a broken connection as if all were well; it reports the connection a little later.
  const seen = await Promise.race([exited, aborted(link.lost), sleep(100)]);
  if (seen !== undefined) return seen;
  throw new Problem("connect-failed", `${link.name} ended a command without telling its exit code`);
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

/**
 * Ends a marked command that is no longer wanted. The SSH request for a signal is not enough: sshd before 7.9 ignores it,
 * and newer ones refuse it in some set-ups, so a second command looks for the processes.
 */
export async function end(
  link: Link,
  channel: ClientChannel,
  token: string,
  closed: Promise<unknown>,
): Promise<void> {
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
  const plain = toReaper(token, name);
  const { command, options } = withPassword(plain.command, { stdin: plain.stdin }, link.sudoPassword);
  const { channel: reaper } = await execute(link, command, false);
  reaper.resume();
  reaper.stderr.resume();
  reaper.end(options.stdin);
  await new Promise<void>((resolve) => reaper.once("close", () => resolve()));
}
