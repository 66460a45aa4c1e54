import type { Call } from "../call.ts";
import type { Snapshot } from "../ec2/records.ts";
import type { RegionState } from "../ec2/state.ts";
import { AwsFault } from "../fault.ts";

/** A signed call of the EBS direct APIs, with its body and what its path names. */
export type EbsCall = Call & {
  readonly region: RegionState;
  readonly body: Buffer;
  readonly query: ReadonlyMap<string, string>;
  readonly snapshotId: string;
  readonly blockIndex: number;
};

export type EbsAnswer = {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON, unless it is bytes. */
  readonly body: Uint8Array | { readonly [name: string]: unknown };
};

export type EbsAction = (call: EbsCall) => Promise<EbsAnswer> | EbsAnswer;

/** What EBS calls a request that it does not take; the reason is one of a list of its own. */
export function invalid(reason: string, message: string): AwsFault {
  return new AwsFault("ValidationException", message, { details: { Reason: reason } });
}

/** The snapshot that the call names, or EBS's error. */
export function snapshotOf({ region, snapshotId }: EbsCall): Snapshot {
  const found = region.snapshots.get(snapshotId);
  if (found) return found;
  throw missing(snapshotId);
}

export function missing(snapshotId: string): AwsFault {
  return new AwsFault("ResourceNotFoundException", `The snapshot '${snapshotId}' does not exist.`, {
    status: 404,
    details: { Reason: "SNAPSHOT_NOT_FOUND" },
  });
}
