import {
  CompleteSnapshotCommand,
  EBSClient,
  PutSnapshotBlockCommand,
  StartSnapshotCommand,
} from "@aws-sdk/client-ebs";
import { Problem } from "../problem.ts";
import { call, creating } from "./client.ts";
import type { CloudOptions } from "./cloud.ts";
import { type Base, toSettings } from "./connect.ts";
import type { Fresh } from "./fresh.ts";
import type { SnapshotRequest, Snapshots } from "./snapshots.ts";
import { toTagList } from "./tags.ts";

type Ebs = Pick<Snapshots, "startSnapshot" | "putSnapshotBlock" | "completeSnapshot">;

/** Blocks of snapshots, over the EBS direct APIs. */
export function toEbs(base: Base, options: CloudOptions, fresh: Fresh): Ebs {
  const client = new EBSClient(toSettings(base, options));
  const link = { ...base, client, service: "EBS" } as const;
  return {
    startSnapshot: async (request, signal) => {
      const { SnapshotId, BlockSize } = await call(link, toStartSnapshot(request), {
        signal: creating(signal),
        actions: ["ebs:StartSnapshot", "ec2:CreateTags"],
      });
      if (SnapshotId === undefined || BlockSize === undefined)
        throw new Problem("aws-fault", "EBS answered StartSnapshot without a snapshot");
      fresh.add(SnapshotId);
      return { id: SnapshotId, blockBytes: BlockSize };
    },

    putSnapshotBlock: async ({ snapshot, index, bytes, sha256 }, signal) => {
      const command = new PutSnapshotBlockCommand({
        SnapshotId: snapshot,
        BlockIndex: index,
        BlockData: bytes,
        DataLength: bytes.length,
        Checksum: toBase64(sha256),
        ChecksumAlgorithm: "SHA256",
      });
      await call(link, command, { signal, resource: snapshot });
    },

    completeSnapshot: async (id, { count, sha256 }, signal) => {
      const command = new CompleteSnapshotCommand({
        SnapshotId: id,
        ChangedBlocksCount: count,
        Checksum: toBase64(sha256),
        ChecksumAlgorithm: "SHA256",
        ChecksumAggregationMethod: "LINEAR",
      });
      await call(link, command, { signal, resource: id });
    },
  };
}

function toStartSnapshot({
  description,
  volumeSizeGiB,
  encryption,
  clientToken,
  tags,
}: SnapshotRequest): StartSnapshotCommand {
  return new StartSnapshotCommand({
    Description: description,
    VolumeSize: volumeSizeGiB,
    ClientToken: clientToken,
    Tags: toTagList(tags),
    ...(encryption === null ? {} : { Encrypted: true }),
    ...(encryption === null || encryption === "default" ? {} : { KmsKeyArn: encryption }),
  });
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
}
