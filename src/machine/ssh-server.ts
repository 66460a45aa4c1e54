import { once } from "node:events";
import type { AddressInfo } from "node:net";
import type { AuthContext, Client, Connection, ParsedKey } from "ssh2";
import ssh2 from "ssh2";
import type { Execution, ExecutionRequest } from "./execution.ts";
import { newKeyPair } from "./key-pair.ts";
import { serveSession } from "./ssh-session.ts";

const { Server, utils } = ssh2;

export type SshServer = {
  readonly port: number;
  /** Ends all connections. */
  hangUp(): void;
  close(): Promise<void>;
};

/** A new host key: the private one in OpenSSH's format, the public one as a line. */
export function newHostKey(): { readonly privateKey: string; readonly publicKey: string } {
  const pair = newKeyPair("");
  return { privateKey: pair.private, publicKey: pair.public };
}

/** An SSH server on a free loopback port, open to the holders of these keys, that runs what they ask for. */
export async function startSshServer(options: {
  readonly hostKey: string;
  readonly authorizedKeys: readonly string[];
  /** Who may log in. */
  readonly users: readonly string[];
  /** Whether it answers at all just now. */
  readonly isUp: () => boolean;
  readonly execute: (request: ExecutionRequest) => Promise<Execution>;
}): Promise<SshServer> {
  const keys = options.authorizedKeys.map(toKey).filter((key) => key !== undefined);
  const connections = new Set<Connection>();
  const server = new Server({ hostKeys: [options.hostKey] }, (connection) => {
    connections.add(connection);
    // An exchange of small messages would otherwise wait 40 ms for every delayed acknowledgement.
    // The method is there, and only @types/ssh2 has it on clients alone.
    (connection as unknown as Client).setNoDelay(true);
    connection.on("close", () => connections.delete(connection));
    // A client that vanishes is no concern of the instance; what it ran is ended with its channels.
    connection.on("error", () => undefined);
    if (!options.isUp()) {
      connection.end();
      return;
    }
    let user = "";
    connection.on("authentication", (context) => {
      user = context.username;
      authenticate(context, keys, options.users);
    });
    connection.on("session", (accept) => serveSession(accept(), { user, execute: options.execute }));
  });
  let closed: Promise<void> | undefined;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    hangUp: () => {
      for (const connection of connections) connection.end();
    },
    close: () => {
      closed ??= close(server, connections);
      return closed;
    },
  };
}

async function close(
  server: InstanceType<typeof Server>,
  connections: ReadonlySet<Connection>,
): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  for (const connection of connections) connection.end();
  await closed;
}

function authenticate(context: AuthContext, keys: readonly ParsedKey[], users: readonly string[]): void {
  if (context.method !== "publickey" || !users.includes(context.username)) {
    context.reject(["publickey"]);
    return;
  }
  const { key, signature, blob, hashAlgo } = context;
  const known = keys.find((candidate) => candidate.equals(key.data));
  // Without a signature the client only asks whether the key would do (RFC 4252, section 7).
  const holds =
    known !== undefined &&
    (signature === undefined || (blob !== undefined && known.verify(blob, signature, hashAlgo) === true));
  if (holds) context.accept();
  else context.reject(["publickey"]);
}

function toKey(line: string): ParsedKey | undefined {
  const key = utils.parseKey(line);
  return key instanceof Error ? undefined : key;
}
