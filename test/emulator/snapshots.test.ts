import { EBSClient, GetSnapshotBlockCommand, ListSnapshotBlocksCommand } from "@aws-sdk/client-ebs";
import { DeleteSnapshotCommand, EC2Client } from "@aws-sdk/client-ec2";
import { expect, test } from "vitest";
import { startEmulator } from "../../src/emulator/start.ts";
import { readSnapshot } from "../help/read-snapshot.ts";
import { codeOf, errorOf, newRig, type Rig, toClientOptions } from "./rig.ts";
import { a, b, blockBytes, complete, digest, ended, put, snapshotOf, start } from "./snapshot-calls.ts";

test("EBS-1 a snapshot is read as it was written", async () => {
  await using rig = await newRig();
  const [ebs, ec2] = [rig.ebs(), rig.ec2()];
  const started = await start(ebs, { Description: "d", Tags: [{ Key: "team", Value: "web" }] });
  expect(started).toMatchObject({ Status: "pending", VolumeSize: 1, BlockSize: blockBytes });
  const id = started.SnapshotId ?? "";
  for (const [index, bytes] of [
    [9, b],
    [3, b],
    [3, a],
    [0, a],
  ] as const)
    await put(ebs, id, index, bytes);
  const pending = await snapshotOf(ec2, id);
  expect(pending).toMatchObject({ State: "pending", Description: "d", VolumeSize: 1, Encrypted: false });
  const { Status } = await complete(ebs, id, [a, a, b]);
  expect([Status, (await snapshotOf(ec2, id))?.State]).toEqual(["pending", "pending"]);
  await ended(ec2, id);
  expect(await snapshotOf(ec2, id)).toMatchObject({
    State: "completed",
    Progress: "100%",
    Tags: [{ Key: "team", Value: "web" }],
  });
  const { indexes, volume, volumeSizeGiB } = await readSnapshot(ebs, id);
  expect([indexes, volumeSizeGiB]).toEqual([[0, 3, 9], 1]);
  const [first, gap, last] = [
    volume.subarray(0, blockBytes),
    volume.subarray(blockBytes, 3 * blockBytes),
    volume.subarray(-blockBytes),
  ];
  expect([first.equals(a), gap.equals(Buffer.alloc(2 * blockBytes)), last.equals(b)]).toEqual([
    true,
    true,
    true,
  ]);
});

test("EBS-2 a block that is not what was said of it is refused", async () => {
  await using rig = await newRig();
  const ebs = rig.ebs();
  const id = (await start(ebs)).SnapshotId ?? "";
  expect(await codeOf(put(ebs, id, 0, a, { Checksum: digest(b) }))).toBe("InvalidSignatureException");
  const wrong = [
    () => put(ebs, id, 2048, a),
    () => put(ebs, id, 0, a.subarray(1)),
    () => put(ebs, id, 0, a, { DataLength: 512 }),
    () => put(ebs, id, 0, a, { ChecksumAlgorithm: "SHA1" as never }),
    () => start(ebs, { VolumeSize: 0 }),
    () => start(ebs, { Timeout: 5 }),
    () => start(ebs, { Encrypted: false, KmsKeyArn: "arn:aws:kms:us-east-1:123456789012:key/x" }),
    () => start(ebs, { Tags: [{ Key: "aws:team", Value: "web" }] }),
  ];
  for (const call of wrong)
    expect(await errorOf(call())).toMatchObject({ name: "ValidationException", Reason: expect.any(String) });
  expect(await codeOf(put(ebs, "snap-0123456789abcdef0", 0, a))).toBe("ResourceNotFoundException");
});

test("EBS-3 a snapshot is either written or read", async () => {
  await using rig = await newRig();
  const ebs = rig.ebs();
  const id = (await start(ebs)).SnapshotId ?? "";
  await put(ebs, id, 0, a);
  const list = () => ebs.send(new ListSnapshotBlocksCommand({ SnapshotId: id }));
  expect(await codeOf(list())).toBe("ResourceNotFoundException");
  await complete(ebs, id, [a]);
  expect(await errorOf(put(ebs, id, 1, a))).toMatchObject({ Reason: "INVALID_SNAPSHOT_ID" });
  await ended(rig.ec2(), id);
  expect((await list()).Blocks).toHaveLength(1);
});

test("EBS-4 what was not written as is said ends in error", async () => {
  await using rig = await newRig();
  const ended = [
    await broken(rig, [a, b], { ChangedBlocksCount: 3 }),
    await broken(rig, [b, a], {}),
    await broken(rig, [a, b], { Checksum: undefined }),
  ];
  expect(ended).toEqual([
    ["error", "Changed blocks count mismatch for snapshot"],
    ["error", "Checksum mismatch for snapshot"],
    ["completed", undefined],
  ]);
});

async function broken(rig: Rig, said: readonly Buffer[], change: object): Promise<unknown> {
  const [ebs, ec2] = [rig.ebs(), rig.ec2()];
  const id = (await start(ebs)).SnapshotId ?? "";
  await put(ebs, id, 0, a);
  await put(ebs, id, 1, b);
  await complete(ebs, id, said, change);
  await ended(ec2, id);
  const found = await snapshotOf(ec2, id);
  return [found?.State, found?.StateMessage];
}

test("EBS-5 a client token starts one snapshot", async () => {
  await using rig = await newRig();
  const ebs = rig.ebs();
  const first = await start(ebs, { ClientToken: "t" });
  expect((await start(ebs, { ClientToken: "t" })).SnapshotId).toBe(first.SnapshotId);
  expect(await codeOf(start(ebs, { ClientToken: "t", VolumeSize: 2 }))).toBe("ConflictException");
  expect(rig.emulator.left().snapshots).toEqual([first.SnapshotId]);
});

test("EBS-6 blocks come in pages, each with a token of its own", async () => {
  await using rig = await newRig();
  const ebs = rig.ebs();
  const id = (await start(ebs)).SnapshotId ?? "";
  const blocks = Array.from({ length: 101 }, (_, index) => Buffer.alloc(blockBytes, index + 1));
  await Promise.all(blocks.map((bytes, index) => put(ebs, id, index * 2, bytes)));
  await complete(ebs, id, blocks);
  await ended(rig.ec2(), id);
  const list = (more: object) => ebs.send(new ListSnapshotBlocksCommand({ SnapshotId: id, ...more }));
  const { Blocks = [], NextToken } = await list({ MaxResults: 100 });
  expect([Blocks.length, (await list({ NextToken })).Blocks?.map(({ BlockIndex }) => BlockIndex)]).toEqual([
    100,
    [200],
  ]);
  expect((await list({ StartingBlockIndex: 199 })).Blocks).toHaveLength(1);
  expect(await errorOf(list({ MaxResults: 99 }))).toMatchObject({ Reason: "INVALID_PARAMETER_VALUE" });
  expect(await errorOf(list({ NextToken: "eA==" }))).toMatchObject({ Reason: "INVALID_PAGE_TOKEN" });
  const other = { SnapshotId: id, BlockIndex: 2, BlockToken: Blocks[0]?.BlockToken };
  expect(await errorOf(ebs.send(new GetSnapshotBlockCommand(other)))).toMatchObject({
    Reason: "INVALID_BLOCK_TOKEN",
  });
});

test("EBS-9 only what was completed outlives the emulator", async () => {
  await using rig = await newRig();
  const ebs = rig.ebs();
  const [whole = "", half = ""] = [(await start(ebs)).SnapshotId, (await start(ebs)).SnapshotId];
  for (const id of [whole, half]) await put(ebs, id, 7, b);
  await complete(ebs, whole, [b]);
  await rig.emulator[Symbol.asyncDispose]();
  await using again = await startEmulator({ directory: rig.directory, instances: rig.host });
  const client = new EC2Client(toClientOptions(again));
  await ended(client, whole);
  expect((await snapshotOf(client, half))?.State).toBe("error");
  const { indexes, volume } = await readSnapshot(new EBSClient(toClientOptions(again)), whole);
  expect([indexes, volume.subarray(-blockBytes).equals(b)]).toEqual([[7], true]);
});

test("EBS-10 a snapshot that is being written can be given up", async () => {
  await using rig = await newRig();
  const ebs = rig.ebs();
  const id = (await start(ebs)).SnapshotId ?? "";
  await put(ebs, id, 0, a);
  await rig.ec2().send(new DeleteSnapshotCommand({ SnapshotId: id }));
  expect(await codeOf(put(ebs, id, 1, a))).toBe("ResourceNotFoundException");
  expect(rig.emulator.left().snapshots).toEqual([]);
});
