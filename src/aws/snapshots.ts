import type { Tags } from "./provider.ts";

/** What is asked of a cloud about snapshots of EBS volumes, by EC2 and by the EBS direct APIs. */
export type Snapshots = {
  /** Begins a snapshot that takes blocks until it is completed. The same client token begins it once. */
  startSnapshot(request: SnapshotRequest, signal: AbortSignal): Promise<StartedSnapshot>;
  /** Writes one whole block, which EBS holds against its digest. */
  putSnapshotBlock(block: SnapshotBlock, signal: AbortSignal): Promise<void>;
  /** Says that all blocks are there. EBS checks it later: a snapshot of which it is not true ends as `error`. */
  completeSnapshot(id: string, written: WrittenBlocks, signal: AbortSignal): Promise<void>;
  /** Null: EC2 does not know it, or not yet. */
  findSnapshot(id: string, signal: AbortSignal): Promise<Snapshot | null>;
  /** Also one that is not completed, or not there. */
  deleteSnapshot(id: string, signal: AbortSignal): Promise<void>;
};

export type SnapshotRequest = {
  readonly description: string;
  readonly volumeSizeGiB: number;
  /** `default`: the account's key for EBS; else the ARN of a KMS key; null: not encrypted unless the account says so. */
  readonly encryption: string | null;
  readonly clientToken: string;
  readonly tags: Tags;
};

export type StartedSnapshot = { readonly id: string; readonly blockBytes: number };

type SnapshotBlock = {
  readonly snapshot: string;
  /** Of the block within the volume, counted from 0. */
  readonly index: number;
  readonly bytes: Uint8Array;
  readonly sha256: Uint8Array;
};

/** How many blocks were written, and the SHA-256 of their SHA-256 digests in the order of their indexes. */
export type WrittenBlocks = { readonly count: number; readonly sha256: Uint8Array };

export type Snapshot = {
  readonly id: string;
  /** pending, completed or error, and others of EC2's. */
  readonly state: string;
  readonly stateMessage: string | null;
  /** Such as `42%`. */
  readonly progress: string | null;
};

/** A volume that is made of a snapshot for each instance. */
export type VolumeRoot = {
  readonly device: string;
  readonly snapshot: string;
  /** Null: as large as the snapshot's. */
  readonly sizeGiB: number | null;
  /** Such as gp3. */
  readonly type: string;
};
