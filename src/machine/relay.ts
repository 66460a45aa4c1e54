import { setTimeout as sleep } from "node:timers/promises";
import type { HeldMachine } from "./held-machine.ts";
import { newKeyPair } from "./key-pair.ts";
import { newHostKey, startSshServer } from "./ssh-server.ts";

/** The user's end of the way to a machine: an SSH server on 127.0.0.1, for programs that bring their own client. */
export type Relay = AsyncDisposable & {
  readonly port: number;
  /** As a public key line. */
  readonly hostKey: string;
  /** The one key that is let in, in OpenSSH's format. It is good for nothing else, and for no longer than the relay. */
  readonly privateKey: string;
};

/** A client that was stopped does not answer. */
const longestCloseMs = 2000;

/**
 * Lets this machine's `ssh`, `scp` and `sftp` work on a held machine, however that is reached and whoever we are to it:
 * what they ask for is asked for over the connection that is held. Closing it ends what they run.
 */
export async function startRelay(held: HeldMachine, user: string): Promise<Relay> {
  const hostKey = newHostKey();
  const key = newKeyPair("imgspec");
  const server = await startSshServer({
    hostKey: hostKey.privateKey,
    authorizedKeys: [key.public],
    users: [user],
    isUp: () => true,
    execute: async (request) => (await held.machine()).execute(request),
  });
  return {
    port: server.port,
    hostKey: hostKey.publicKey,
    privateKey: key.private,
    [Symbol.asyncDispose]: async () => {
      await Promise.race([server.close(), sleep(longestCloseMs, undefined, { ref: false })]);
    },
  };
}
