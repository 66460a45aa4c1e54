import type { CloudOptions } from "../aws/cloud.ts";

export type EmulatorOptions = {
  /** Where its state lives; made if missing. */
  readonly directory: string;
  /** 0 or absent: a free port. */
  readonly port?: number;
};

/** A small AWS on loopback. Closing it stops its instances. */
export type Emulator = AsyncDisposable & {
  readonly url: string;
  /** What to give `toCloud` so that everything goes here. */
  readonly cloud: CloudOptions;
  /** Answers the next calls of an action with a fault. */
  fail(action: string, fault: string, options?: { times?: number; region?: string }): void;
  /** What exists now, over all regions: for tests and for the last lines of a run. */
  left(): {
    readonly instances: readonly string[];
    readonly keyPairs: readonly string[];
    readonly securityGroups: readonly string[];
  };
};
