import { isIPv4, type Socket } from "node:net";

import { ConnectFailure } from "./connect-failure.ts";

/** What a SOCKS server may answer (RFC 1928, section 6). */
const refusals: readonly string[] = [
  "",
  "general failure",
  "not allowed by its rules",
  "network unreachable",
  "host unreachable",
  "connection refused",
  "TTL expired",
  "command not supported",
  "address type not supported",
];

/**
 * Has a SOCKS 5 server connect on (RFC 1928), with the user and password of its URL if it wants them (RFC 1929). It
 * resolves the name, as with curl's `socks5h`. The socket is closed when it refuses.
 */
export async function askSocks(
  socket: Socket,
  { host, port }: { readonly host: string; readonly port: number },
  proxy: URL,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Socket> {
  const stop = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  const talk: Talk = {
    socket,
    read: newReader(socket, stop),
    refusal: (why, kind = "proxy") =>
      new ConnectFailure(kind, `the proxy ${proxy.host} ${why}`, undefined, "the proxy"),
  };
  try {
    await introduce(talk, proxy);
    await request(talk, host, port);
    return socket;
  } catch (error) {
    socket.destroy();
    signal.throwIfAborted();
    if (error instanceof ConnectFailure) throw error;
    throw talk.refusal(stop.aborted ? "did not connect in time" : "closed the connection");
  }
}

type Talk = {
  readonly socket: Socket;
  readonly read: (bytes: number) => Promise<Uint8Array>;
  readonly refusal: (why: string, kind?: "proxy" | "proxy-credentials") => ConnectFailure;
};

async function introduce({ socket, read, refusal }: Talk, { username, password }: URL): Promise<void> {
  socket.write(Uint8Array.from(username === "" ? [5, 1, 0] : [5, 2, 0, 2]));
  const [version, method] = await read(2);
  if (version !== 5) throw refusal("does not speak SOCKS 5");
  if (method === 0) return;
  if (method !== 2 || username === "") throw refusal("wants a user and a password", "proxy-credentials");
  socket.write(Buffer.concat([Uint8Array.of(1), text(username), text(password)]));
  const [, verdict] = await read(2);
  if (verdict !== 0) throw refusal("does not accept the user and the password", "proxy-credentials");
}

async function request({ socket, read, refusal }: Talk, host: string, port: number): Promise<void> {
  const address = isIPv4(host)
    ? Uint8Array.of(1, ...host.split(".").map(Number))
    : Buffer.concat([Uint8Array.of(3), text(encodeURIComponent(host))]);
  socket.write(Buffer.concat([Uint8Array.of(5, 1, 0), address, Uint8Array.of(port >> 8, port & 255)]));
  const [, answer = 1, , type] = await read(4);
  if (answer !== 0) {
    throw refusal(`does not connect to ${host}:${port}: ${refusals[answer] ?? `failure ${answer}`}`);
  }
  // The address that it uses, of no use here: IPv4, IPv6 or a name.
  const [nameBytes = 0] = type === 3 ? await read(1) : [type === 4 ? 16 : 4];
  await read(nameBytes + 2);
}

/** Reads so many bytes and leaves what comes after them in the socket. */
function newReader(socket: Socket, signal: AbortSignal): (bytes: number) => Promise<Uint8Array> {
  return async (bytes) => {
    for (;;) {
      const chunk: unknown = socket.read(bytes);
      if (chunk instanceof Uint8Array) return chunk;
      if (socket.readableEnded || socket.destroyed) throw new Error("closed");
      await new Promise<void>((resolve, reject) => {
        const events = ["readable", "end", "close", "error"] as const;
        const settle = (): void => {
          for (const event of events) socket.off(event, settle);
          signal.removeEventListener("abort", settle);
          if (signal.aborted) reject(signal.reason);
          else resolve();
        };
        for (const event of events) socket.once(event, settle);
        signal.addEventListener("abort", settle);
      });
    }
  };
}

/** A text as SOCKS has it: its length in a byte before it. */
function text(encoded: string): Uint8Array {
  const bytes = Buffer.from(decodeURIComponent(encoded));
  if (bytes.length > 255) throw new RangeError("SOCKS 5 has no place for more than 255 bytes");
  return Uint8Array.of(bytes.length, ...bytes);
}
