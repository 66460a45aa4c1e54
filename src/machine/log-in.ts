import { readFile, stat } from "node:fs/promises";
import type { Duplex } from "node:stream";
import ssh2, { type ConnectConfig, type Client as SshClient } from "ssh2";

import { Problem } from "../problem.ts";
import { ConnectFailure } from "./connect-failure.ts";
import { algorithmsFor, isSameKey, toKeyLine } from "./host-key.ts";
import { fingerprintOf } from "./key-pair.ts";
import type { Hop } from "./machine.ts";

const { Client, createAgent, utils } = ssh2;

/** Half a minute without a sign of life, and the connection is given up. */
const keepalive = { keepaliveInterval: 5000, keepaliveCountMax: 6 };
const longestHandshakeMs = 20_000;

export type LoggedIn = { readonly client: SshClient; readonly hostKey: string };

export type LogInOptions = {
  /** Null: the agent has it. */
  readonly privateKey: Buffer | null;
  readonly leftMs: number;
  readonly signal: AbortSignal;
  /** Filled with what ssh2 tells of the negotiation of algorithms. */
  readonly handshake: string[];
};

/** One attempt over a connection that is there. Rejects with a ConnectFailure, an error of ssh2, or the signal's reason. */
export async function logIn(hop: Hop, socket: Duplex, options: LogInOptions): Promise<LoggedIn> {
  const { privateKey, leftMs, signal, handshake } = options;
  let seen: string | undefined;
  const client = new Client();
  return new Promise((resolve, reject) => {
    const stop = (reason: unknown): void => {
      signal.removeEventListener("abort", onAbort);
      client.destroy();
      socket.destroy();
      reject(reason);
    };
    const onAbort = (): void => stop(signal.reason);
    const onClose = (): void => stop(new ConnectFailure("closed", "the server closed the connection"));
    const onError = (error: unknown): void => {
      stop(hostKeyFailure(hop, seen) ?? passwordFailure(hop, error) ?? error);
    };
    client.once("error", onError).once("close", onClose);
    // A second error, or one in the packet that follows the login, would end the whole program.
    client.on("error", () => undefined);
    client.once("ready", () => {
      signal.removeEventListener("abort", onAbort);
      client.off("error", onError).off("close", onClose);
      // Nagle's algorithm halves the rate of a stream that answers with small window messages.
      client.setNoDelay(true);
      resolve({ client, hostKey: seen ?? "" });
    });
    client.on("keyboard-interactive", (_name, _instructions, _language, prompts, answer) => {
      // What is shown as it is typed is no password.
      answer(prompts.map(({ echo }) => (echo === true ? "" : (hop.password ?? ""))));
    });
    signal.addEventListener("abort", onAbort, { once: true });
    client.connect({
      // Any stream will do (ssh2 reads and writes it); the types say Readable.
      sock: socket,
      username: hop.user,
      ...toCredentials(hop, privateKey),
      readyTimeout: Math.min(longestHandshakeMs, leftMs),
      ...keepalive,
      ...(hop.hostKeys === null ? {} : { algorithms: { serverHostKey: algorithmsFor(hop.hostKeys) } }),
      hostVerifier: (blob: Buffer) => {
        seen = toKeyLine(blob);
        return hostKeyFailure(hop, seen) === undefined;
      },
      debug: (line) => {
        if (line.startsWith("Handshake: (")) handshake.push(line);
      },
    });
  });
}

function toCredentials({ agent, password }: Hop, privateKey: Buffer | null): ConnectConfig {
  // Many servers ask for a password by keyboard-interactive alone.
  if (password) return { password, tryKeyboard: true, authHandler: ["password", "keyboard-interactive"] };
  if (privateKey !== null) return { privateKey, authHandler: ["publickey"] };
  if (agent) return { agent, authHandler: ["agent"] };
  throw new Error("neither a private key, an agent nor a password");
}

/** The private key's bytes. Throws a Problem when it cannot be used, before anything is tried with it. */
export async function readPrivateKey(path: string): Promise<Buffer> {
  const unusable = (why: string, hint?: string, cause?: unknown): Problem =>
    new Problem("file-unreadable", `the private key ${path} ${why}`, { hint, cause });
  const bytes = await readFile(path).catch((error: unknown) => {
    const why = error instanceof Error && "code" in error ? String(error.code) : "unknown reason";
    throw unusable(`cannot be read (${why})`, undefined, error);
  });
  // As OpenSSH does: a key that others can read is no secret. Windows has no such modes.
  if (process.platform !== "win32" && ((await stat(path)).mode & 0o077) !== 0) {
    throw unusable("can be read by others", `run: chmod 600 ${path}`);
  }
  const parsed = utils.parseKey(bytes);
  if (!(parsed instanceof Error)) return bytes;
  if (/passphrase|encrypted/i.test(parsed.message)) {
    throw unusable("is locked by a passphrase", "use a key without one, made for this purpose");
  }
  throw unusable("is not an OpenSSH or PEM private key");
}

/** Throws a Problem unless an SSH agent answers at this socket and has a key. */
export async function checkAgent(path: string): Promise<void> {
  const hint = 'start one (eval "$(ssh-agent)"; ssh-add), or name a privateKey';
  const count = await new Promise<number>((resolve, reject) => {
    createAgent(path).getIdentities((error, keys) => {
      if (error)
        reject(new Problem("connect-failed", `no SSH agent answers at ${path}`, { hint, cause: error }));
      else resolve(keys?.length ?? 0);
    });
  });
  if (count === 0)
    throw new Problem("connect-failed", `the SSH agent at ${path} has no key`, { hint: "ssh-add PATH" });
}

/** The public key, as a line without a comment, of a private key that can be used. */
export async function publicKeyOf(path: string): Promise<string> {
  const parsed = utils.parseKey(await readPrivateKey(path));
  if (parsed instanceof Error) throw parsed;
  return toKeyLine(parsed.getPublicSSH());
}

function passwordFailure({ password }: Hop, error: unknown): ConnectFailure | undefined {
  const level = error instanceof Error && "level" in error ? error.level : undefined;
  if (!password || level !== "client-authentication") return undefined;
  return new ConnectFailure("authentication", "the server did not accept the password", error);
}

function hostKeyFailure({ hostKeys }: Hop, seen: string | undefined): ConnectFailure | undefined {
  if (hostKeys === null || seen === undefined || hostKeys.some((line) => isSameKey(line, seen)))
    return undefined;
  const expected = hostKeys.map((line) => fingerprintOf(line)).join(" or ");
  return new ConnectFailure(
    "host-key",
    `shows another host key: expected ${expected || "none"}, seen ${fingerprintOf(seen)}`,
  );
}
