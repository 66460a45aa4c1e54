import type { CloudOptions } from "../aws/cloud.ts";
import type { Furniture } from "./furnish.ts";

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
  /** The account that everything belongs to, twelve digits. */
  readonly accountId: string;
  /**
   * Answers the next calls of an action with a fault: an error code of AWS, `500`, `slow`, `slow:MILLISECONDS`,
   * `cut` (the request is lost) or `cut-after` (it is carried out, the answer is lost). Once unless `times` says more.
   */
  fail(action: string, fault: string, options?: { times?: number; region?: string }): void;
  /** Takes a permission away, named as IAM does: `ec2:RunInstances`, `s3:PutObject`. */
  deny(action: string): void;
  /** Gives it back. */
  allow(action: string): void;
  /** Puts what a spec expects in place: its buckets and its source AMIs. */
  furnish(furniture: Furniture): Promise<void>;
  /** How often an action was called, refused calls too. */
  calls(action: string): number;
  /** What exists now, over all regions: for tests and for the last lines of a run. */
  left(): {
    readonly instances: readonly string[];
    readonly keyPairs: readonly string[];
    readonly securityGroups: readonly string[];
    readonly snapshots: readonly string[];
    /** Those of the caller's account. */
    readonly images: readonly string[];
    /** `bucket/key` */
    readonly objects: readonly string[];
  };
};
