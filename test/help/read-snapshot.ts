import { type EBSClient, GetSnapshotBlockCommand, ListSnapshotBlocksCommand } from "@aws-sdk/client-ebs";

/** A snapshot as whoever makes a volume of it sees it, up to the end of its last block. */
export type ReadSnapshot = {
  readonly volumeSizeGiB: number;
  readonly indexes: readonly number[];
  readonly volume: Buffer;
};

/** Reads all blocks of a snapshot by the EBS direct APIs; what was not written is zero. */
export async function readSnapshot(client: EBSClient, id: string): Promise<ReadSnapshot> {
  const blocks = new Map<number, Uint8Array>();
  let [volumeSizeGiB, blockBytes] = [0, 0];
  let next: string | undefined;
  do {
    const page = await client.send(new ListSnapshotBlocksCommand({ SnapshotId: id, NextToken: next }));
    [volumeSizeGiB, blockBytes] = [page.VolumeSize ?? 0, page.BlockSize ?? 0];
    for (const { BlockIndex = -1, BlockToken } of page.Blocks ?? []) {
      const command = new GetSnapshotBlockCommand({ SnapshotId: id, BlockIndex, BlockToken });
      const { BlockData } = await client.send(command);
      blocks.set(BlockIndex, (await BlockData?.transformToByteArray()) ?? new Uint8Array());
    }
    next = page.NextToken;
  } while (next !== undefined);
  const indexes = [...blocks.keys()];
  const volume = Buffer.alloc((Math.max(-1, ...indexes) + 1) * blockBytes);
  for (const [index, bytes] of blocks) volume.set(bytes, index * blockBytes);
  return { volumeSizeGiB, indexes, volume };
}
