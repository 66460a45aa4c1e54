/** Why an attempt to connect came to nothing. */
export type ConnectFailureKind =
  | "name"
  | "refused"
  | "filtered"
  | "unreachable"
  | "proxy"
  | "proxy-credentials"
  | "bastion"
  | "forwarding"
  | "closed"
  | "handshake"
  | "authentication"
  | "host-key";

const hints: Readonly<Record<ConnectFailureKind, string>> = {
  name: "check the address, and that this machine can resolve it",
  refused: "nothing listens on that port: check connect.port, and that sshd is enabled in the source AMI",
  filtered:
    "packets get no answer: check the security group, the subnet's route to here, and connect.address",
  unreachable: "there is no route to it from here: check connect.address (public or private) and the subnet",
  proxy: "check connect.proxy, and that it lets connections through to this port",
  "proxy-credentials": "check the user and the password of connect.proxy",
  bastion: "the bastion has no way to it: check connect.address, the security group and the route from there",
  forwarding: "let the bastion's SSH server forward to it (AllowTcpForwarding, PermitOpen), or name another",
  closed: "the server hung up: it may still be starting, or limit how many may log in at once (MaxStartups)",
  handshake:
    "the server and this program share no algorithm: the SSH server of the source AMI is too old or too strict",
  authentication: "check connect.user, and that the source AMI puts the launch key into its authorized_keys",
  "host-key": "another machine answers at this address, or the instance was replaced",
};

/** A failed attempt, in words for people. It is retried unless the kind says that trying again cannot help. */
export class ConnectFailure extends Error {
  override readonly name = "ConnectFailure";
  readonly kind: ConnectFailureKind;
  /** What stands between here and the machine, when it is that which fails. */
  readonly hop: string | null;

  constructor(kind: ConnectFailureKind, message: string, cause?: unknown, hop: string | null = null) {
    super(message, cause === undefined ? {} : { cause });
    this.kind = kind;
    this.hop = hop;
  }

  get hint(): string {
    if (this.hop === null || /^(bastion|forwarding|proxy)/.test(this.kind)) return hints[this.kind];
    return `this is about ${this.hop}: check connect.bastions, and that it can be logged in to from here`;
  }
}

/** What a failed attempt says, from an error of the socket or of ssh2. `handshake` is what ssh2 told of the negotiation. */
export function toConnectFailure(error: unknown, handshake: readonly string[]): ConnectFailure {
  if (error instanceof ConnectFailure) return error;
  const { code, level, message } = detailsOf(error);
  const network = networkFailures[code ?? ""];
  if (network !== undefined) return new ConnectFailure(network.kind, network.message, error);
  if (level === "client-authentication") {
    return new ConnectFailure("authentication", "the server did not accept the key", error);
  }
  if (level === "agent") {
    return new ConnectFailure("authentication", `the SSH agent cannot be asked: ${message}`, error);
  }
  if (level === "client-timeout") {
    return new ConnectFailure("closed", "the server did not answer the SSH handshake in time", error);
  }
  // A connection that is lost that early says nothing about algorithms.
  if (message === "Connection lost before handshake") {
    return new ConnectFailure("closed", "the server closed the connection", error);
  }
  if (level === "handshake" || /handshake/i.test(message)) {
    return new ConnectFailure("handshake", `${mismatchOf(message, handshake)}`, error);
  }
  return new ConnectFailure("closed", message || "the connection was closed", error);
}

const networkFailures: Readonly<Record<string, { kind: ConnectFailureKind; message: string }>> = {
  ENOTFOUND: { kind: "name", message: "its name could not be resolved" },
  EAI_AGAIN: { kind: "name", message: "its name could not be resolved" },
  ECONNREFUSED: { kind: "refused", message: "connection refused" },
  ETIMEDOUT: { kind: "filtered", message: "no answer (timed out)" },
  EHOSTUNREACH: { kind: "unreachable", message: "no route to it" },
  ENETUNREACH: { kind: "unreachable", message: "no route to it" },
  EADDRNOTAVAIL: { kind: "unreachable", message: "no route to it" },
  ECONNRESET: { kind: "closed", message: "the connection was reset" },
  EPIPE: { kind: "closed", message: "the connection was reset" },
};

/** ssh2 names only what did not match; the two lists it tells just before are what a person needs. */
function mismatchOf(message: string, handshake: readonly string[]): string {
  const what = message.replace(/^.*Handshake failed: /, "");
  const remote = handshake.findLast((line) => line.startsWith("Handshake: (remote)"));
  const local = handshake.findLast((line) => line.startsWith("Handshake: (local)"));
  if (!what.startsWith("no matching") || remote === undefined || local === undefined) {
    return `the SSH handshake failed: ${what}`;
  }
  return `the SSH handshake failed: ${what}; offered: ${listOf(remote)}; accepted: ${listOf(local)}`;
}

function listOf(line: string): string {
  return line.replace(/^Handshake: \((?:local|remote)\) [^:]*: /, "").replaceAll(",", ", ");
}

function detailsOf(error: unknown): {
  code?: string | undefined;
  level?: string | undefined;
  message: string;
} {
  if (!(error instanceof Error)) return { message: String(error) };
  // Node's AggregateError (several addresses of one name) says nothing itself; its first error does.
  const first = error instanceof AggregateError ? (error.errors[0] as unknown) : undefined;
  if (first instanceof Error) return detailsOf(first);
  const { code, level } = error as { code?: unknown; level?: unknown };
  return {
    code: typeof code === "string" ? code : undefined,
    level: typeof level === "string" ? level : undefined,
    message: error.message,
  };
}
