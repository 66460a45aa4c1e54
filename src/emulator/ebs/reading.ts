import { isReadable } from "../ec2/snapshots.ts";
import { sha256 } from "../signature.ts";
import { type Blocks, blockBytes } from "./block-store.ts";
import { type EbsAction, type EbsCall, invalid, missing, snapshotOf } from "./ebs-call.ts";

const tokenDays = 7;
const fewest = 100;
const most = 10_000;

/** The blocks that were written, in ascending order. */
export const listSnapshotBlocks: EbsAction = async (call) => {
  const { query, snapshotId } = call;
  const blocks = await readableBlocks(call);
  const limit = Number(query.get("maxResults") ?? most);
  if (!(limit >= fewest && limit <= most))
    throw invalid("INVALID_PARAMETER_VALUE", `MaxResults must be between ${fewest} and ${most}.`);
  const start = fromPage(query.get("pageToken")) ?? Number(query.get("startingBlockIndex") ?? 0);
  const indexes = [...blocks.keys()].filter((index) => index >= start);
  const next = indexes[limit];
  return {
    status: 200,
    body: {
      Blocks: indexes.slice(0, limit).map((BlockIndex) => ({
        BlockIndex,
        BlockToken: toToken(snapshotId, BlockIndex, blocks),
      })),
      BlockSize: blockBytes,
      VolumeSize: snapshotOf(call).volumeSizeGiB,
      ExpiryTime: Date.now() / 1000 + tokenDays * 24 * 3600,
      NextToken: next === undefined ? undefined : Buffer.from(`from ${next}`).toString("base64"),
    },
  };
};

export const getSnapshotBlock: EbsAction = async (call) => {
  const { query, snapshotId, blockIndex, world } = call;
  const blocks = await readableBlocks(call);
  const token = query.get("blockToken") ?? "";
  const checksum = blocks.get(blockIndex);
  if (checksum === undefined || token !== toToken(snapshotId, blockIndex, blocks))
    throw invalid("INVALID_BLOCK_TOKEN", `The block token ${token} is invalid.`);
  const bytes = await world.blocks.read(snapshotId, blockIndex);
  return {
    status: 200,
    headers: {
      "x-amz-data-length": String(bytes.length),
      "x-amz-checksum": checksum,
      "x-amz-checksum-algorithm": "SHA256",
    },
    body: bytes,
  };
};

/** A snapshot that is not completed cannot be read: to this API it is not there. */
async function readableBlocks(call: EbsCall): Promise<Blocks> {
  if (!isReadable(snapshotOf(call))) throw missing(call.snapshotId);
  return call.world.blocks.blocksOf(call.snapshotId);
}

function toToken(snapshotId: string, index: number, blocks: Blocks): string {
  return Buffer.from(sha256(`${snapshotId} ${index} ${blocks.get(index)}`), "hex").toString("base64");
}

function fromPage(token: string | undefined): number | undefined {
  if (token === undefined) return undefined;
  const start = /^from (\d+)$/.exec(Buffer.from(token, "base64").toString("utf8"))?.[1];
  if (start === undefined) throw invalid("INVALID_PAGE_TOKEN", `The pagination token ${token} is invalid.`);
  return Number(start);
}
