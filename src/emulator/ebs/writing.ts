import { createHash } from "node:crypto";
import type { Snapshot } from "../ec2/records.ts";
import { newId } from "../ec2/state.ts";
import { AwsFault } from "../fault.ts";
import { sha256 } from "../signature.ts";
import { type Blocks, blockBytes } from "./block-store.ts";
import { type EbsAction, type EbsAnswer, type EbsCall, invalid, snapshotOf } from "./ebs-call.ts";
import { readStart } from "./start-request.ts";

const blocksInGiB = 1024 ** 3 / blockBytes;
/** EBS's quota of snapshots that take blocks, per account and region. */
const mostPending = 100;

export const startSnapshot: EbsAction = async (call) => {
  const { region, world } = call;
  const request = readStart(call.body.toString("utf8"));
  const digest = sha256(JSON.stringify({ ...request, clientToken: null }));
  const earlier = [...region.snapshots.values()].find(
    ({ clientToken }) => clientToken !== null && clientToken === request.clientToken,
  );
  if (earlier && earlier.requestDigest !== digest) {
    throw new AwsFault(
      "ConflictException",
      "Current request does not match request stored with this token.",
      { status: 409 },
    );
  }
  if (earlier) return toStarted(call, earlier);
  if ([...region.snapshots.values()].filter(({ state }) => state === "pending").length >= mostPending) {
    throw new AwsFault(
      "ConcurrentLimitExceededException",
      "The limit of pending snapshots has been reached.",
    );
  }
  const snapshot: Snapshot = {
    id: newId("snap"),
    state: "pending",
    stateMessage: null,
    sealedAt: null,
    startedAt: new Date().toISOString(),
    requestDigest: digest,
    ...request,
  };
  region.snapshots.set(snapshot.id, snapshot);
  await world.blocks.create(snapshot.id, request.volumeSizeGiB * 1024 ** 3);
  await world.ec2.save();
  return toStarted(call, snapshot);
};

function toStarted({ world }: EbsCall, snapshot: Snapshot): EbsAnswer {
  const { id, volumeSizeGiB, description, kmsKey, tags, startedAt } = snapshot;
  return {
    status: 201,
    body: {
      SnapshotId: id,
      OwnerId: world.identity.accountId,
      Status: "pending",
      StartTime: Date.parse(startedAt) / 1000,
      VolumeSize: volumeSizeGiB,
      BlockSize: blockBytes,
      Description: description ?? undefined,
      KmsKeyArn: kmsKey ?? undefined,
      Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
    },
  };
}

export const putSnapshotBlock: EbsAction = async (call) => {
  const { body, blockIndex, snapshotId, request, world } = call;
  const { state, volumeSizeGiB, sealedAt } = snapshotOf(call);
  if (state !== "pending" || sealedAt !== null)
    throw invalid("INVALID_SNAPSHOT_ID", "Snapshot is already completed");
  const { "x-amz-data-length": length, "x-amz-checksum": checksum = "" } = request.headers;
  if (Number(length) !== blockBytes || body.length !== blockBytes) {
    throw invalid("INVALID_BLOCK", `Block data length ${length} is not valid, expected ${blockBytes}`);
  }
  if (blockIndex >= volumeSizeGiB * blocksInGiB)
    throw invalid("INVALID_BLOCK", `Block index ${blockIndex} is beyond the volume size extent`);
  checkAlgorithm(request.headers["x-amz-checksum-algorithm"]);
  const computed = createHash("sha256").update(body).digest("base64");
  if (checksum !== computed) {
    throw new AwsFault(
      "InvalidSignatureException",
      `The value passed in as x-amz-Checksum does not match the computed checksum. Computed checksum: ${computed} expected checksum: ${checksum}`,
      { status: 403 },
    );
  }
  await world.blocks.write(snapshotId, blockIndex, body);
  return {
    status: 201,
    headers: { "x-amz-checksum": computed, "x-amz-checksum-algorithm": "SHA256" },
    body: {},
  };
};

function checkAlgorithm(name: string | undefined): void {
  if (name === "SHA256") return;
  throw invalid(
    "INVALID_PARAMETER_VALUE",
    `Unsupported Checksum Algorithm '${name ?? ""}', supported algorithms are SHA256`,
  );
}

/** What was said of the blocks is only looked at afterwards: a snapshot of which it is not true ends as `error`. */
export const completeSnapshot: EbsAction = async (call) => {
  const { region, request, snapshotId, world } = call;
  const snapshot = snapshotOf(call);
  const count = request.headers["x-amz-changedblockscount"] ?? "";
  if (!/^\d+$/.test(count))
    throw invalid("INVALID_PARAMETER_VALUE", "ChangedBlocksCount must be nonnegative.");
  const checksum = request.headers["x-amz-checksum"];
  if (checksum !== undefined) {
    checkAlgorithm(request.headers["x-amz-checksum-algorithm"]);
    if (request.headers["x-amz-checksum-aggregation-method"] !== "LINEAR")
      throw invalid("INVALID_PARAMETER_VALUE", "Unsupported checksum aggregation method.");
  }
  if (snapshot.state === "pending" && snapshot.sealedAt === null) {
    const stateMessage = faultOf(await world.blocks.blocksOf(snapshotId), Number(count), checksum);
    await world.blocks.seal(snapshotId);
    region.snapshots.set(snapshotId, { ...snapshot, stateMessage, sealedAt: new Date().toISOString() });
    await world.ec2.save();
  }
  return { status: 202, body: { Status: snapshot.state } };
};

function faultOf(blocks: Blocks, count: number, checksum: string | undefined): string | null {
  if (blocks.size !== count) return "Changed blocks count mismatch for snapshot";
  const hash = createHash("sha256");
  for (const digest of blocks.values()) hash.update(Buffer.from(digest, "base64"));
  const aggregated = hash.digest("base64");
  return checksum === undefined || checksum === aggregated ? null : "Checksum mismatch for snapshot";
}
