import type { Execution, ExecutionRequest } from "./execution.ts";

/** A machine that can be told what to do. Closing it ends every command that it still runs. */
export type Machine = AsyncDisposable & {
  /** The host key that was seen, as an OpenSSH public key line (`ssh-ed25519 AAAA…`). */
  readonly hostKey: string;
  /** Aborts, with a Problem, when the connection is lost or closed. */
  readonly lost: AbortSignal;
  /** What sudo is told there when it asks. */
  readonly sudoPassword?: string | null;
  /** Runs a command line in the login shell of the user. A non-zero exit is a result, not an error. */
  run(command: string, options: CommandOptions): Promise<CommandResult>;
  /**
   * The same with stdout as a stream of chunks (backpressure reaches the command); `result` settles when it has ended.
   * `onLine` hears stderr only.
   */
  stream(command: string, options: CommandOptions): Promise<CommandStream>;
  /** Copies a local file or, recursively, a directory; remote parent directories are made. */
  upload(localPath: string, remotePath: string, options: TransferOptions): Promise<void>;
  /** Writes content to a remote file with this mode from the first byte on. */
  write(
    content: string | Uint8Array,
    remotePath: string,
    options: { mode: number; signal: AbortSignal },
  ): Promise<void>;
  download(remotePath: string, localPath: string, options: TransferOptions): Promise<void>;
  /** What a client of a relay asks for, as it asks for it: it ends with the connection. */
  execute(request: ExecutionRequest): Promise<Execution>;
};

export type CommandOptions = {
  readonly signal: AbortSignal;
  /** Sent to the command and then closed: the way for secrets. */
  readonly stdin?: string | Uint8Array;
  readonly onLine?: (line: string, from: "stdout" | "stderr") => void;
  /** Every byte as it comes. */
  readonly onChunk?: (chunk: Uint8Array, from: "stdout" | "stderr") => void;
  readonly pty?: boolean;
};

/** `code` is null when a signal ended the command. stdout and stderr keep the last 64 KiB. */
export type CommandResult = {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
};

export type CommandStream = {
  readonly stdout: AsyncIterable<Uint8Array>;
  readonly result: Promise<Omit<CommandResult, "stdout">>;
};

export type TransferOptions = {
  readonly signal: AbortSignal;
  readonly mode?: number;
  readonly onBytes?: (doneBytes: number, totalBytes: number) => void;
};

/** An SSH server, who we are to it, and how to know that it is the right one. */
export type Hop = {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Path of an OpenSSH or PEM private key, mode 0600; null: the agent has it. */
  readonly privateKeyPath: string | null;
  /** Path of the socket of an SSH agent, which is asked when there is no private key. */
  readonly agent?: string | null;
  /** What the server is told when it asks; then neither key nor agent is used. */
  readonly password?: string | null;
  /** The only host keys to accept, as public key lines; null: accept the first seen, which the caller then pins. */
  readonly hostKeys: readonly string[] | null;
};

/** How to reach a machine. */
export type MachineAddress = Hop & {
  /** `http://host:port` of a proxy that understands CONNECT, or `socks5://host:port`; credentials as in any URL. */
  readonly proxy: string | null;
  /** Servers to go through, the nearest first; the proxy is before them. */
  readonly bastions?: readonly Hop[];
};
