import type { Duplex } from "node:stream";
import type { Client } from "ssh2";

import { ConnectFailure, toConnectFailure } from "./connect-failure.ts";
import { type LoggedIn, logIn } from "./log-in.ts";
import type { Hop, MachineAddress } from "./machine.ts";
import { openSocket } from "./socket.ts";

/** The private keys of the bastions and, last, of the machine; null: the agent has it. */
export type Keys = readonly (Buffer | null)[];

export type WayOptions = {
  readonly deadline: number;
  readonly signal: AbortSignal;
  /** Filled with what ssh2 tells of the negotiation of algorithms with the machine. */
  readonly handshake: string[];
};

const longestTcpMs = 10_000;
/** SSH_OPEN_ADMINISTRATIVELY_PROHIBITED (RFC 4254, section 5.1). */
const administrativelyProhibited = 1;

/**
 * One attempt to log in to a machine, through its proxy and its bastions. Rejects with a ConnectFailure, which knows the
 * hop that failed, an error of the socket or of ssh2, or the signal's reason. Closing the client closes the whole way.
 */
export async function wayIn(address: MachineAddress, keys: Keys, options: WayOptions): Promise<LoggedIn> {
  const { signal, handshake } = options;
  const left = (): number => Math.max(1, options.deadline - Date.now());
  const bastions = address.bastions ?? [];
  const [first = address] = bastions;
  const { proxy } = address;
  const opened: Client[] = [];
  try {
    let socket: Duplex = await at(bastions.length > 0 ? nameOf(first) : null, () =>
      openSocket({ host: first.host, port: first.port, proxy }, Math.min(longestTcpMs, left()), signal),
    );
    for (const [index, bastion] of bastions.entries()) {
      const told: string[] = [];
      const over = socket;
      const privateKey = keys[index] ?? null;
      const { client } = await at(
        nameOf(bastion),
        () => logIn(bastion, over, { privateKey, leftMs: left(), signal, handshake: told }),
        told,
      );
      opened.unshift(client);
      socket = await forward(client, bastion, bastions[index + 1] ?? address, left());
    }
    const privateKey = keys.at(-1) ?? null;
    const loggedIn = await logIn(address, socket, { privateKey, leftMs: left(), signal, handshake });
    loggedIn.client.once("close", () => closeAll(opened));
    return loggedIn;
  } catch (error) {
    closeAll(opened);
    throw error;
  }
}

/** What fails here is told as a failure of the bastion. */
async function at<T>(
  bastion: string | null,
  work: () => Promise<T>,
  handshake: readonly string[] = [],
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const failure = bastion === null ? undefined : toConnectFailure(error, handshake);
    if (failure === undefined || failure.hop !== null) throw error;
    const hop = `the bastion ${bastion}`;
    throw new ConnectFailure(failure.kind, `${hop}: ${failure.message}`, error, hop);
  }
}

/** A connection from the bastion to the next (RFC 4254, section 7.2). */
function forward(client: Client, bastion: Hop, to: Hop, timeoutMs: number): Promise<Duplex> {
  const target = `${to.host}:${to.port}`;
  const hop = `the bastion ${nameOf(bastion)}`;
  return new Promise((resolve, reject) => {
    const refuse = (why: string, cause?: unknown, reason?: unknown): void => {
      const kind = reason === administrativelyProhibited ? "forwarding" : "bastion";
      reject(new ConnectFailure(kind, `${hop} does not connect to ${target}: ${why}`, cause, hop));
    };
    const timer = setTimeout(() => refuse("no answer (timed out)"), Math.min(2 * longestTcpMs, timeoutMs));
    client.forwardOut("127.0.0.1", 0, to.host, to.port, (error, channel) => {
      clearTimeout(timer);
      if (error === undefined) resolve(channel);
      else refuse(error.message.replace(/^\(SSH\) Channel open failure: /, ""), error, reasonOf(error));
    });
  });
}

/** ssh2 adds the reason code to its error. */
function reasonOf(error: Error): unknown {
  return "reason" in error ? error.reason : undefined;
}

function closeAll(clients: readonly Client[]): void {
  for (const client of clients) {
    client.on("error", () => undefined);
    client.end();
  }
}

export function nameOf({ user, host, port }: Pick<Hop, "user" | "host" | "port">): string {
  return `${user}@${host}${port === 22 ? "" : `:${port}`}`;
}
