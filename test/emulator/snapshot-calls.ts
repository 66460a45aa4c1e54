import { createHash } from "node:crypto";
import {
  CompleteSnapshotCommand,
  type CompleteSnapshotCommandOutput,
  type EBSClient,
  PutSnapshotBlockCommand,
  type PutSnapshotBlockCommandInput,
  type PutSnapshotBlockCommandOutput,
  StartSnapshotCommand,
  type StartSnapshotCommandInput,
  type StartSnapshotCommandOutput,
} from "@aws-sdk/client-ebs";
import { DescribeSnapshotsCommand, type EC2Client, type Snapshot } from "@aws-sdk/client-ec2";
import { until } from "./rig.ts";

export const blockBytes: number = 512 * 1024;
export const a: Buffer = Buffer.alloc(blockBytes, "a");
export const b: Buffer = Buffer.alloc(blockBytes, "b");

export function start(
  ebs: EBSClient,
  change: Partial<StartSnapshotCommandInput> = {},
): Promise<StartSnapshotCommandOutput> {
  return ebs.send(new StartSnapshotCommand({ VolumeSize: 1, ...change }));
}

export function put(
  ebs: EBSClient,
  SnapshotId: string,
  BlockIndex: number,
  BlockData: Buffer,
  change: Partial<PutSnapshotBlockCommandInput> = {},
): Promise<PutSnapshotBlockCommandOutput> {
  const said = {
    DataLength: BlockData.length,
    Checksum: digest(BlockData),
    ChecksumAlgorithm: "SHA256",
  } as const;
  return ebs.send(new PutSnapshotBlockCommand({ SnapshotId, BlockIndex, BlockData, ...said, ...change }));
}

export function complete(
  ebs: EBSClient,
  SnapshotId: string,
  blocks: readonly Buffer[],
  change: object = {},
): Promise<CompleteSnapshotCommandOutput> {
  const hash = createHash("sha256");
  for (const block of blocks) hash.update(digest(block), "base64");
  return ebs.send(
    new CompleteSnapshotCommand({
      SnapshotId,
      ChangedBlocksCount: blocks.length,
      Checksum: hash.digest("base64"),
      ChecksumAlgorithm: "SHA256",
      ChecksumAggregationMethod: "LINEAR",
      ...change,
    }),
  );
}

export function digest(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("base64");
}

export async function snapshotOf(ec2: EC2Client, id: string): Promise<Snapshot | undefined> {
  const { Snapshots = [] } = await ec2.send(new DescribeSnapshotsCommand({ SnapshotIds: [id] }));
  return Snapshots[0];
}

export async function ended(ec2: EC2Client, id: string): Promise<void> {
  await until(
    () => snapshotOf(ec2, id),
    (snapshot) => snapshot?.State !== "pending",
  );
}
