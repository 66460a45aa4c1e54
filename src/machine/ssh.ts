import { setTimeout as sleep } from "node:timers/promises";

import { Problem } from "../problem.ts";
import { ConnectFailure, type ConnectFailureKind, toConnectFailure } from "./connect-failure.ts";
import { type LoggedIn, readPrivateKey } from "./log-in.ts";
import type { Machine, MachineAddress } from "./machine.ts";
import { SshMachine } from "./ssh-machine.ts";
import { type Keys, nameOf, wayIn } from "./way-in.ts";

export type ConnectOptions = {
  readonly signal: AbortSignal;
  /** How long to go on trying: a machine that has just been launched takes a while to listen. */
  readonly timeoutMs: number;
  /** Told why a first attempt failed, and again whenever the reason changes. */
  readonly log?: (line: string) => void;
  /** What sudo is told when it asks; commands made by `elevate` get it on their stdin. */
  readonly sudoPassword?: string | null;
};

/** A server may listen a moment before its keys are in their places; more refusals than these are its last word. */
const mostRefusals = 3;
const pauseAfterRefusalMs = 1500;
const longestPauseMs = 2000;
const shortestFairMs = 3000;

/**
 * Logs in to a machine, trying again until the deadline. Throws a Problem that names the last cause:
 * `connect-failed`, or at once `host-key-changed` when the machine is not the one that was expected.
 */
export async function connect(address: MachineAddress, options: ConnectOptions): Promise<Machine> {
  const { timeoutMs } = options;
  // A signal of its own: many connections at once would put too many listeners on a shared one.
  const signal = AbortSignal.any([options.signal]);
  signal.throwIfAborted();
  const keys = await readKeys(address);
  const deadline = Date.now() + timeoutMs;
  const failures: ConnectFailure[] = [];
  for (;;) {
    const leftMs = deadline - Date.now();
    const outcome = await tryOnce(address, keys, deadline, signal);
    if (!(outcome instanceof ConnectFailure))
      return new SshMachine(outcome, nameOf(address), options.sudoPassword ?? null);
    const last = failures.at(-1);
    // An attempt that had no time says less than the one before.
    if (last !== undefined && leftMs < shortestFairMs && Date.now() >= deadline) {
      throw toProblem(address, last, timeoutMs);
    }
    const told = last?.message;
    failures.push(outcome);
    const pauseMs = pauseAfter(failures);
    if (pauseMs === undefined) throw toProblem(address, outcome);
    if (Date.now() + pauseMs >= deadline) throw toProblem(address, outcome, timeoutMs);
    if (told !== outcome.message) options.log?.(`waiting for ${nameOf(address)}: ${outcome.message}`);
    await sleep(pauseMs, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

/** What a server may say a moment too early, but not for long. */
const finalKinds: readonly ConnectFailureKind[] = [
  "authentication",
  "handshake",
  "proxy-credentials",
  "forwarding",
];

/** How long to wait before the next attempt, or `undefined` when another would end the same way. */
function pauseAfter(failures: readonly ConnectFailure[]): number | undefined {
  const refusals = failures.filter(({ kind }) => finalKinds.includes(kind));
  const last = failures.at(-1);
  if (last?.kind === "host-key" || refusals.length >= mostRefusals) return undefined;
  if (last === refusals.at(-1)) return pauseAfterRefusalMs;
  return Math.min(longestPauseMs, 250 * 2 ** (failures.length - 1));
}

async function tryOnce(
  address: MachineAddress,
  keys: Keys,
  deadline: number,
  signal: AbortSignal,
): Promise<LoggedIn | ConnectFailure> {
  const handshake: string[] = [];
  try {
    return await wayIn(address, keys, { deadline, signal, handshake });
  } catch (error) {
    signal.throwIfAborted();
    return toConnectFailure(error, handshake);
  }
}

/** Read before anything is tried, so that a key that cannot be used is told at once. */
function readKeys(address: MachineAddress): Promise<Keys> {
  const hops = [...(address.bastions ?? []), address];
  return Promise.all(
    hops.map(async ({ privateKeyPath }) => (privateKeyPath === null ? null : readPrivateKey(privateKeyPath))),
  );
}

function toProblem(address: MachineAddress, failure: ConnectFailure, waitedMs?: number): Problem {
  const name = nameOf(address);
  const { hint } = failure;
  if (failure.kind === "host-key") {
    const message = failure.hop === null ? `${name} ${failure.message}` : failure.message;
    return new Problem("host-key-changed", message, { hint, cause: failure });
  }
  if (failure.kind === "authentication" && failure.hop === null) {
    const { privateKeyPath, password } = address;
    const key = privateKeyPath === null ? "a key of the SSH agent" : `the key ${privateKeyPath}`;
    const how = password ? "this password" : key;
    const message = `${address.host} does not let "${address.user}" in with ${how}`;
    const passwordHint =
      "check connect.user and connect.password, and that the server takes passwords (PasswordAuthentication)";
    return new Problem("connect-failed", message, { hint: password ? passwordHint : hint, cause: failure });
  }
  const within = waitedMs === undefined ? "" : ` within ${Math.ceil(waitedMs / 1000)} s`;
  const message = `${name} could not be reached by SSH${within}: ${failure.message}`;
  return new Problem("connect-failed", message, { hint, cause: failure });
}
