import type { Socket } from "node:net";

/** What the emulated EC2 asks of whatever runs its instances. */
export type InstanceHost = {
  /** The address at which instances reach this machine's loopback; absent: they take the outlet. */
  readonly gateway?: string;
  /** Throws the Problem `sandbox-unavailable` or `vm-unavailable`, with what to do about it, when this machine cannot run instances. */
  check(): Promise<void>;
  /** The root of the source AMIs, which have no bundle in S3. */
  baseRoot(): Promise<Root>;
  /** Makes a root from what a bundle unpacks to; the file may be moved away. */
  rootFromImage(imagePath: string, key: string): Promise<Root>;
  /** Starts an instance on a private copy of a root; resolves once it runs, whether or not its SSH server listens yet. */
  start(request: StartRequest): Promise<Guest>;
  /** Stops every instance and gives back what start made. */
  close(): Promise<void>;
};

/** A root file system that instances are started from, never written to: a tree or a disk image, as the host has it. */
export type Root = { readonly id: string; readonly path: string };

export type StartRequest = {
  /** `i-…` */
  readonly instanceId: string;
  readonly root: Root;
  /** OpenSSH public key lines allowed to log in. */
  readonly authorizedKeys: readonly string[];
  readonly hostname: string;
  readonly userData: string | null;
  /** Absent: the instance reaches nothing; of no use to a host with a gateway. */
  readonly outlet?: Outlet;
  readonly facts: InstanceFacts;
  readonly signal: AbortSignal;
};

/** What EC2 knows of an instance, in the words of its records. */
export type InstanceFacts = {
  readonly accountId: string;
  readonly region: string;
  readonly zone: string;
  readonly imageId: string;
  /** Where the manifest is, `bucket/key`. */
  readonly manifestPath: string;
  readonly instanceType: string;
  readonly reservationId: string;
  readonly launchIndex: number;
  readonly privateAddress: string;
  readonly publicAddress: string | null;
  readonly keyName: string | null;
  readonly groupNames: readonly string[];
  readonly architecture: string;
  readonly virtualization: string;
  readonly kernelId: string | null;
  readonly ramdiskId: string | null;
  readonly rootDeviceName: string;
  readonly mappings: readonly { readonly device: string; readonly virtual: string }[];
  readonly metadataTokens: "required" | "optional";
  readonly launchedAt: string;
};

/** What an instance reaches besides itself: at this port of its own loopback, as at this machine's. */
export type Outlet = { readonly port: number; accept(socket: Socket): void };

export type Guest = {
  /** The loopback port that leads to its SSH server. */
  readonly port: number;
  /** Its host key, as an OpenSSH public key line; null where only the console output tells it. */
  readonly hostKey: string | null;
  /** What GetConsoleOutput answers: boot lines and, as cloud-init prints them, the SSH host keys. */
  consoleOutput(): string;
  /** Kills everything in the instance and removes its files. Idempotent. */
  stop(): Promise<void>;
};
