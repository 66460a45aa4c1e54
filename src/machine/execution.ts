import type { Readable, Writable } from "node:stream";
import type { TerminalModes } from "ssh2";

export type Terminal = {
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  /** How it treats what is typed (RFC 4254, section 8). */
  readonly modes?: Partial<TerminalModes>;
};

export type ExecutionRequest = {
  readonly user: string;
  /** `null`: a login shell, or the subsystem. */
  readonly command: string | null;
  /** The file transfer server. */
  readonly subsystem: "sftp" | null;
  readonly environment: readonly (readonly [string, string])[];
  readonly terminal: Terminal | null;
};

export type Ended = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

/** A command that runs on a machine, for a client of an SSH server of ours. */
export type Execution = {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly ended: Promise<Ended>;
  /** Signals the command and what it started; without effect after the end. */
  signal(name: string): Promise<void>;
  /** Ends it, since nobody is left who wants it. */
  abandon(): void;
  resize(rows: number, columns: number): Promise<void>;
};
