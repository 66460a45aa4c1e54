import type { Cloud } from "../aws/cloud.ts";
import type { Json } from "../util/json.ts";

export type ResourceContext = {
  readonly cloud: Cloud;
  readonly signal: AbortSignal;
  log(line: string): void;
};

/**
 * Something that costs money, or opens a door, until it is given back.
 *
 * A release is a function of a record and never of a closure, so the code that cleans up after a failure also
 * cleans up, in another process, after a crash.
 */
export type Resource<I, R extends Json> = {
  /** Such as `ec2.instance`; written into the journal. */
  readonly kind: string;
  /** Never part of a product: given back at the end also when all that its task made is kept. */
  readonly isScratch?: boolean;
  acquire(input: I, context: ResourceContext): Promise<R>;
  /** Succeeds when there is nothing left to release. */
  release(record: R, context: ResourceContext): Promise<void>;
  /** One line for people: `instance i-0123 in us-east-1`. */
  describe(record: R): string;
  /** The `aws` (or shell) command that releases it by hand. */
  byHand(record: R): string;
};

/** A resource whose types are forgotten, so that all kinds fit one table. */
export type AnyResource = Resource<never, never>;
