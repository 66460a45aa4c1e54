import {
  type _InstanceType,
  CreateKeyPairCommand,
  CreateTagsCommand,
  DeleteTagsCommand,
  DescribeImagesCommand,
  DescribeInstancesCommand,
  DescribeInstanceTypesCommand,
  DescribeKeyPairsCommand,
  DescribeTagsCommand,
  EC2Client,
  GetConsoleOutputCommand,
  paginateDescribeInstanceTypes,
  RunInstancesCommand,
  TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import { expect, test } from "vitest";
import { startEmulator } from "../../src/emulator/start.ts";
import { knownRegions } from "../../src/util/region.ts";
import { describe, launch, sourceImage, stateOf } from "./launch.ts";
import { codeOf, errorOf, newRig, toClientOptions, until } from "./rig.ts";

const one = { MinCount: 1, MaxCount: 1, InstanceType: "m3.medium" } as const;

test("EC2-5 a client token launches once", async () => {
  await using rig = await newRig();
  const ec2 = rig.ec2();
  const ImageId = await sourceImage(ec2);
  const run = (input: object) =>
    ec2.send(new RunInstancesCommand({ ...one, ImageId, ClientToken: "t", ...input }));
  const [first, second] = [await run({}), await run({})];
  expect(second.Instances?.[0]?.InstanceId).toBe(first.Instances?.[0]?.InstanceId);
  expect(rig.emulator.left().instances).toHaveLength(1);
  expect(await codeOf(run({ InstanceType: "m3.large" }))).toBe("IdempotentParameterMismatch");
});

test("EC2-6 filters know wildcards, and unknown filters are refused", async () => {
  await using rig = await newRig();
  const ec2 = rig.ec2();
  const count = async (Name: string, Value: string): Promise<number> =>
    (await ec2.send(new DescribeImagesCommand({ Filters: [{ Name, Values: [Value] }] }))).Images?.length ??
    -1;
  expect(await count("name", "imgspec-*-x86_64-s?")).toBe(1);
  expect(await count("name", "imgspec-*-x86_64-")).toBe(0);
  expect(await count("name", "imgspec.*")).toBe(0);
  expect(await count("name", "imgspec-\\*")).toBe(0);
  expect(await count("root-device-type", "instance-store")).toBe(1);
  expect(await codeOf(count("shape", "round"))).toBe("InvalidParameterValue");
});

test("EC2-8 an instance runs with its key, user data and addresses, and ends", async () => {
  await using rig = await newRig();
  const ec2 = rig.ec2();
  await ec2.send(new CreateKeyPairCommand({ KeyName: "k", KeyType: "ed25519" }));
  const UserData = Buffer.from("#!/bin/sh\n").toString("base64");
  const id = await launch(ec2, { KeyName: "k", UserData });
  expect(await describe(ec2, id)).toMatchObject({
    State: { Code: 16, Name: "running" },
    KeyName: "k",
    RootDeviceType: "instance-store",
    PublicIpAddress: expect.stringMatching(/^203\.0\.113\.\d+$/),
    PrivateIpAddress: expect.stringMatching(/^10\.0\./),
    Placement: { AvailabilityZone: "us-east-1a" },
  });
  expect(rig.host.started).toMatchObject([
    {
      instanceId: id,
      root: { id: "base" },
      userData: "#!/bin/sh\n",
      authorizedKeys: [expect.stringMatching(/^ssh-ed25519 /)],
    },
  ]);
  const { TerminatingInstances } = await ec2.send(new TerminateInstancesCommand({ InstanceIds: [id] }));
  expect(TerminatingInstances).toMatchObject([
    { CurrentState: { Name: "shutting-down" }, PreviousState: { Name: "running" } },
  ]);
  await until(
    () => stateOf(ec2, id),
    (state) => state === "terminated",
  );
  expect(await describe(ec2, id)).toMatchObject({ StateReason: { Code: "Client.UserInitiatedShutdown" } });
  expect((await describe(ec2, id))?.PublicIpAddress).toBeUndefined();
  await ec2.send(new TerminateInstancesCommand({ InstanceIds: [id] }));
  expect(rig.emulator.left().instances).toEqual([]);
});

test("EC2-9 an instance-store image runs on the old families only", async () => {
  await using rig = await newRig();
  const ec2 = rig.ec2();
  const ImageId = await sourceImage(ec2);
  const run = (InstanceType: _InstanceType) =>
    errorOf(ec2.send(new RunInstancesCommand({ ...one, ImageId, InstanceType })));
  const refused = await run("t3.micro");
  expect([refused.name, refused.message]).toEqual([
    "UnsupportedOperation",
    `AMI '${ImageId}' with an instance-store root device is not supported for the instance type 't3.micro'.`,
  ]);
  expect((await run("t4g.micro")).name).toBe("InvalidParameterValue");
  await rig.emulator.furnish({
    buckets: [],
    images: [
      {
        region: "us-east-1",
        id: "ami-0123456789abcdef0",
        name: "pv",
        owner: "amazon",
        architecture: "i386",
        virtualization: "paravirtual",
      },
    ],
  });
  const runOld = (InstanceType: _InstanceType) =>
    errorOf(ec2.send(new RunInstancesCommand({ ...one, ImageId: "ami-0123456789abcdef0", InstanceType })));
  expect((await runOld("m3.medium")).message).toContain("does not match the architecture 'i386'");
  expect((await runOld("m1.small")).message).toBe("the call succeeded");
});

test("EC2-10 tags are what was said of them last", async () => {
  await using rig = await newRig();
  const ec2 = rig.ec2();
  const Tags = [
    { Key: "imgspec:run", Value: "r1" },
    { Key: "Name", Value: "<a & b>" },
  ];
  const id = await launch(ec2, { TagSpecifications: [{ ResourceType: "instance", Tags }] });
  const find = async (Name: string, Value: string): Promise<number | undefined> =>
    (await ec2.send(new DescribeInstancesCommand({ Filters: [{ Name, Values: [Value] }] }))).Reservations
      ?.length;
  expect((await describe(ec2, id))?.Tags).toEqual(Tags);
  expect([
    await find("tag:imgspec:run", "r*"),
    await find("tag:imgspec:run", "r2"),
    await find("tag-key", "Name"),
  ]).toEqual([1, 0, 1]);
  await ec2.send(new CreateTagsCommand({ Resources: [id], Tags: [{ Key: "imgspec:run", Value: "r2" }] }));
  await ec2.send(new DeleteTagsCommand({ Resources: [id], Tags: [{ Key: "Name" }] }));
  const Filters = [{ Name: "resource-id", Values: [id] }];
  const { Tags: found } = await ec2.send(new DescribeTagsCommand({ Filters }));
  expect(found).toEqual([{ ResourceId: id, ResourceType: "instance", Key: "imgspec:run", Value: "r2" }]);
  const reserved = new CreateTagsCommand({ Resources: [id], Tags: [{ Key: "aws:x", Value: "y" }] });
  expect(await codeOf(ec2.send(reserved))).toBe("InvalidParameterValue");
});

test("EC2-11 instance types come in pages of at most a hundred", async () => {
  await using rig = await newRig();
  const sizes: number[] = [];
  for await (const page of paginateDescribeInstanceTypes({ client: rig.ec2(), pageSize: 10 }, {})) {
    sizes.push(page.InstanceTypes?.length ?? 0);
  }
  expect(sizes.slice(0, -1).every((size) => size === 10)).toBe(true);
  expect(sizes.reduce((sum, size) => sum + size)).toBeGreaterThan(33);
  expect(await codeOf(rig.ec2().send(new DescribeInstanceTypesCommand({ MaxResults: 101 })))).toBe(
    "InvalidParameterValue",
  );
  expect(await codeOf(rig.ec2().send(new DescribeInstanceTypesCommand({ NextToken: "x" })))).toBe(
    "InvalidNextToken",
  );
});

test("EC2-12 every region has the built-in image", async () => {
  await using rig = await newRig();
  for (const region of knownRegions) expect(await sourceImage(rig.ec2(region))).toMatch(/^ami-[0-9a-f]{17}$/);
});

test("EC2-13 thirty-three types have an instance-store root, all of the old families", async () => {
  await using rig = await newRig();
  const Filters = [{ Name: "supported-root-device-type", Values: ["instance-store"] }];
  const { InstanceTypes = [] } = await rig.ec2().send(new DescribeInstanceTypesCommand({ Filters }));
  const families = new Set(InstanceTypes.map(({ InstanceType }) => InstanceType?.split(".")[0]));
  expect([InstanceTypes.length, [...families].sort()]).toEqual([
    33,
    ["c1", "c3", "d2", "i2", "m1", "m2", "m3", "r3", "x1"],
  ]);
});

test("EC2-14 the console tells what the instance said, also afterwards", async () => {
  await using rig = await newRig();
  const ec2 = rig.ec2();
  const id = await launch(ec2);
  const read = async (): Promise<string> => {
    const { Output = "" } = await ec2.send(new GetConsoleOutputCommand({ InstanceId: id }));
    return Buffer.from(Output, "base64").toString();
  };
  expect(await read()).toBe(`booted ${id}\n`);
  await ec2.send(new TerminateInstancesCommand({ InstanceIds: [id] }));
  await until(
    () => stateOf(ec2, id),
    (state) => state === "terminated",
  );
  expect(await read()).toBe(`booted ${id}\n`);
});

test("EC2-15 a guest that does not start is a terminated instance", async () => {
  await using rig = await newRig();
  const ec2 = rig.ec2();
  rig.host.failure = new Error("no more loop devices");
  const id = await launch(ec2);
  expect(await describe(ec2, id)).toMatchObject({
    State: { Name: "terminated" },
    StateReason: { Code: "Server.InternalError" },
  });
  const { Output = "" } = await ec2.send(new GetConsoleOutputCommand({ InstanceId: id }));
  expect(Buffer.from(Output, "base64").toString()).toContain("no more loop devices");
});

test("EC2-16 nothing of EBS goes with an instance-store image", async () => {
  await using rig = await newRig();
  const ec2 = rig.ec2();
  const ImageId = await sourceImage(ec2);
  const run = (input: object) => codeOf(ec2.send(new RunInstancesCommand({ ...one, ImageId, ...input })));
  expect(await run({ BlockDeviceMappings: [{ DeviceName: "/dev/sda1", Ebs: { VolumeSize: 8 } }] })).toBe(
    "InvalidBlockDeviceMapping",
  );
  expect(await run({ InstanceInitiatedShutdownBehavior: "terminate" })).toBe("InvalidParameterCombination");
  const BlockDeviceMappings = [{ DeviceName: "/dev/sdb", VirtualName: "ephemeral0" }];
  await launch(ec2, { BlockDeviceMappings });
});

test("EC2-17 after a restart there are the records, and no instance that runs", async () => {
  await using rig = await newRig();
  const ec2 = rig.ec2();
  await ec2.send(new CreateKeyPairCommand({ KeyName: "k", KeyType: "ed25519" }));
  const id = await launch(ec2, { KeyName: "k" });
  await rig.emulator[Symbol.asyncDispose]();
  await using again = await startEmulator({ directory: rig.directory, instances: rig.host });
  const client = new EC2Client(toClientOptions(again));
  const { KeyPairs } = await client.send(new DescribeKeyPairsCommand({}));
  expect(KeyPairs?.map(({ KeyName }) => KeyName)).toEqual(["k"]);
  expect(await stateOf(client, id)).toBe("terminated");
  expect(again.left().instances).toEqual([]);
});
