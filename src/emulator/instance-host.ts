import type { Socket } from "node:net";

/** What the emulated EC2 asks of whatever runs its instances. */
export type InstanceHost = {
  /** Throws the Problem `sandbox-unavailable`, with what to do about it, when this machine cannot run instances. */
  check(): Promise<void>;
  /** Makes the built-in source AMI's root tree (from what the machine has) or reuses it; returns an opaque root id. */
  baseRoot(): Promise<Root>;
  /** Makes a root tree from a raw file-system image (ext2/3/4 without a disk partition table). */
  rootFromImage(imagePath: string, key: string): Promise<Root>;
  /** Starts an instance on a private copy of a root; resolves once its SSH server listens. */
  start(request: StartRequest): Promise<Guest>;
  /** Stops every instance and gives back what start made. */
  close(): Promise<void>;
};

/** A root file system that instances are started from, never written to. */
export type Root = { readonly id: string; readonly directory: string };

export type StartRequest = {
  /** `i-…` */
  readonly instanceId: string;
  readonly root: Root;
  /** OpenSSH public key lines allowed to log in. */
  readonly authorizedKeys: readonly string[];
  readonly hostname: string;
  readonly userData: string | null;
  /** Absent: the instance reaches nothing. */
  readonly outlet?: Outlet;
  readonly signal: AbortSignal;
};

/** What an instance reaches besides itself: at this port of its own loopback, as at this machine's. */
export type Outlet = { readonly port: number; accept(socket: Socket): void };

export type Guest = {
  /** The SSH server's loopback port. */
  readonly port: number;
  /** Its host key, as an OpenSSH public key line. */
  readonly hostKey: string;
  /** What GetConsoleOutput answers: boot lines and, as cloud-init prints them, the SSH host keys. */
  consoleOutput(): string;
  /** Kills everything in the instance and removes its files. Idempotent. */
  stop(): Promise<void>;
};
