import { open } from "node:fs/promises";
import {
  DeleteSnapshotCommand,
  DeregisterImageCommand,
  DescribeImagesCommand,
  type EC2Client,
  RegisterImageCommand,
  type RegisterImageCommandInput,
} from "@aws-sdk/client-ec2";
import { expect, test } from "vitest";
import { launch } from "./launch.ts";
import { codeOf, newRig, until } from "./rig.ts";
import { a, b, blockBytes, complete, ended, put, start } from "./snapshot-calls.ts";

test("EBS-7 an image holds on to its snapshot", async () => {
  await using rig = await newRig();
  const [ebs, ec2] = [rig.ebs(), rig.ec2()];
  const id = (await start(ebs, { Encrypted: true })).SnapshotId ?? "";
  await put(ebs, id, 0, a);
  expect(await codeOf(register(ec2, id))).toBe("IncorrectState");
  expect(await codeOf(register(ec2, "snap-0123456789abcdef0"))).toBe("InvalidSnapshot.NotFound");
  await complete(ebs, id, [a]);
  await ended(ec2, id);
  expect(await codeOf(register(ec2, id, { VolumeSize: 0 }))).toBe("InvalidBlockDeviceMapping");
  expect(await codeOf(register(ec2, id, { Encrypted: true }))).toBe("InvalidParameterCombination");
  const image = await register(ec2, id, { VolumeSize: 9, VolumeType: "gp3" });
  const { Images = [] } = await ec2.send(new DescribeImagesCommand({ ImageIds: [image] }));
  expect(Images[0]).toMatchObject({
    RootDeviceType: "ebs",
    ImageLocation: `${rig.emulator.accountId}/web`,
    BlockDeviceMappings: [
      { DeviceName: "/dev/xvda", Ebs: { SnapshotId: id, VolumeSize: 9, VolumeType: "gp3", Encrypted: true } },
      { DeviceName: "/dev/sdb", VirtualName: "ephemeral0" },
    ],
  });
  const remove = () => ec2.send(new DeleteSnapshotCommand({ SnapshotId: id }));
  expect(await codeOf(remove())).toBe("InvalidSnapshot.InUse");
  await ec2.send(new DeregisterImageCommand({ ImageId: image }));
  await remove();
  expect(await codeOf(remove())).toBe("InvalidSnapshot.NotFound");
});

test("EBS-8 an instance starts from the bytes of the snapshot", async () => {
  await using rig = await newRig();
  const [ebs, ec2] = [rig.ebs(), rig.ec2()];
  const roots: string[] = [];
  // The volume has a GiB, which need not be read.
  rig.host.rootFromImage = async (path, key) => {
    await using file = await open(path);
    const { buffer } = await file.read(Buffer.alloc(blockBytes), 0, blockBytes, blockBytes);
    roots.push(`${(await file.stat()).size} ${buffer.equals(b)}`);
    return { id: key, path: "/nowhere" };
  };
  const id = (await start(ebs)).SnapshotId ?? "";
  await put(ebs, id, 1, b);
  await complete(ebs, id, [b]);
  await ended(ec2, id);
  const image = await register(ec2, id);
  await until(
    () => ec2.send(new DescribeImagesCommand({ ImageIds: [image] })),
    ({ Images }) => Images?.[0]?.State === "available",
  );
  await launch(ec2, { ImageId: image, InstanceType: "m5.large" });
  expect(roots).toEqual([`${1024 ** 3} true`]);
});

async function register(
  ec2: EC2Client,
  SnapshotId: string,
  change: NonNullable<NonNullable<RegisterImageCommandInput["BlockDeviceMappings"]>[number]["Ebs"]> = {},
): Promise<string> {
  const { ImageId = "" } = await ec2.send(
    new RegisterImageCommand({
      Name: "web",
      Architecture: "x86_64",
      VirtualizationType: "hvm",
      RootDeviceName: "/dev/xvda",
      BlockDeviceMappings: [
        { DeviceName: "/dev/xvda", Ebs: { SnapshotId, ...change } },
        { DeviceName: "/dev/sdb", VirtualName: "ephemeral0" },
      ],
    }),
  );
  return ImageId;
}
