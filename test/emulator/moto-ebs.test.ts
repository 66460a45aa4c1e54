import { createHash } from "node:crypto";
import {
  CompleteSnapshotCommand,
  type EBSClient,
  GetSnapshotBlockCommand,
  ListSnapshotBlocksCommand,
  PutSnapshotBlockCommand,
  StartSnapshotCommand,
} from "@aws-sdk/client-ebs";
import {
  DeleteSnapshotCommand,
  DescribeImagesCommand,
  DescribeSnapshotsCommand,
  type EC2Client,
  RegisterImageCommand,
} from "@aws-sdk/client-ec2";
import { expect, test } from "vitest";
import { haveMoto } from "../help/moto.ts";
import { newMotoRig, normalised } from "./moto-rig.ts";
import { codeOf, until } from "./rig.ts";

// The same calls go to both. What is told otherwise is listed in `differences`, and in laws.md with who is right.
test.skipIf(!haveMoto)(
  "moto and the emulator tell the same of a snapshot's life, but for what is listed",
  async () => {
    await using rig = await newMotoRig();
    const [moto, ours] = await rig.both(({ ebs, ec2 }) => life(ebs("us-east-1"), ec2("us-east-1")));
    const { differences: theirs, ...agreed } = moto;
    expect(ours).toMatchObject(agreed);
    expect([theirs, ours.differences]).toEqual([
      {
        blockSize: 512,
        pendingRead: "the call succeeded",
        wrongChecksum: "the call succeeded",
        status: "completed",
        late: "the call succeeded",
        otherToken: "the call succeeded",
        inUse: "the call succeeded",
        indexes: ["5"],
        image: ["standard", "/dev/sda1", undefined],
      },
      {
        blockSize: 524_288,
        pendingRead: "ResourceNotFoundException",
        wrongChecksum: "InvalidSignatureException",
        status: "pending",
        late: "ValidationException",
        otherToken: "ValidationException",
        inUse: "InvalidSnapshot.InUse",
        indexes: [5],
        image: ["ebs", "/dev/sda1", "hvm"],
      },
    ]);
  },
);

const bytes = Buffer.alloc(512 * 1024, "block");

async function life(ebs: EBSClient, ec2: EC2Client) {
  const Tags = [{ Key: "team", Value: "web" }];
  const started = await ebs.send(new StartSnapshotCommand({ VolumeSize: 1, Description: "d", Tags }));
  const SnapshotId = started.SnapshotId ?? "";
  const put = (BlockIndex: number, of = bytes) =>
    ebs.send(
      new PutSnapshotBlockCommand({
        SnapshotId,
        BlockIndex,
        BlockData: bytes,
        DataLength: bytes.length,
        Checksum: digest(of),
        ChecksumAlgorithm: "SHA256",
      }),
    );
  const list = () => ebs.send(new ListSnapshotBlocksCommand({ SnapshotId }));
  const sent = await put(5);
  const wrongChecksum = await told(put(5, Buffer.from("other")));
  await put(5);
  const pendingRead = await told(list());
  const { Status: status } = await ebs.send(
    new CompleteSnapshotCommand({ SnapshotId, ChangedBlocksCount: 1 }),
  );
  const describe = new DescribeSnapshotsCommand({ SnapshotIds: [SnapshotId] });
  const { Snapshots = [] } = await until(
    () => ec2.send(describe),
    (answer) => answer.Snapshots?.[0]?.State === "completed",
  );
  const { Blocks = [], VolumeSize } = await list();
  const [{ BlockIndex, BlockToken } = {}] = Blocks;
  const got = await ebs.send(new GetSnapshotBlockCommand({ SnapshotId, BlockIndex, BlockToken }));
  const read = Buffer.from((await got.BlockData?.transformToByteArray()) ?? []).equals(bytes);
  const other = new GetSnapshotBlockCommand({ SnapshotId, BlockIndex, BlockToken: "b3RoZXI=" });
  const otherToken = await told(ebs.send(other));
  const late = await told(put(6));
  const { ImageId = "" } = await ec2.send(
    new RegisterImageCommand({
      Name: "web",
      RootDeviceName: "/dev/sda1",
      BlockDeviceMappings: [
        { DeviceName: "/dev/sda1", Ebs: { SnapshotId, VolumeSize: 1, VolumeType: "gp3" } },
      ],
      VirtualizationType: "hvm",
      Architecture: "x86_64",
    }),
  );
  const { Images = [] } = await ec2.send(new DescribeImagesCommand({ ImageIds: [ImageId] }));
  const inUse = await told(ec2.send(new DeleteSnapshotCommand({ SnapshotId })));
  const unknown = new DescribeSnapshotsCommand({ SnapshotIds: ["snap-0123456789abcdef0"] });
  const facts = {
    started: [started.SnapshotId, started.Status, started.VolumeSize, started.Description, started.Tags],
    sent: [sent.Checksum, sent.ChecksumAlgorithm],
    described: Snapshots.map(({ State, VolumeSize: size, Description, Tags: tags, Encrypted }) => [
      State,
      size,
      Description,
      tags,
      Encrypted,
    ]),
    listed: [Blocks.length, VolumeSize],
    read: [read, got.Checksum, got.DataLength],
    unknown: await codeOf(ec2.send(unknown)),
  };
  const [image] = Images;
  const differences = {
    blockSize: started.BlockSize,
    pendingRead,
    wrongChecksum,
    status,
    late,
    otherToken,
    inUse,
    indexes: Blocks.map((block) => block.BlockIndex),
    image: [image?.RootDeviceType, image?.RootDeviceName, image?.VirtualizationType],
  };
  return { ...(normalised(facts) as object), differences };
}

async function told(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => "the call succeeded",
    (error: unknown) => (error instanceof Error ? error.name : String(error)),
  );
}

function digest(of: Buffer): string {
  return createHash("sha256").update(of).digest("base64");
}
