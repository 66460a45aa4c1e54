import {
  CreateKeyPairCommand,
  CreateSecurityGroupCommand,
  DescribeKeyPairsCommand,
  DescribeRegionsCommand,
  RunInstancesCommand,
} from "@aws-sdk/client-ec2";
import {
  CreateBucketCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { expect, test } from "vitest";
import { launch, sourceImage } from "./launch.ts";
import { codeOf, errorOf, newRig } from "./rig.ts";

const Bucket = "faults";

test("FLT-1 a fault comes as often as it was ordered, where it was ordered", async () => {
  await using rig = await newRig();
  const call = (region: string): Promise<string> =>
    codeOf(rig.ec2(region).send(new DescribeRegionsCommand({})));
  const passes = "Error";
  rig.emulator.fail("DescribeRegions", "RequestLimitExceeded", { times: 2, region: "eu-west-1" });
  expect([
    await call("us-east-1"),
    await call("eu-west-1"),
    await call("eu-west-1"),
    await call("eu-west-1"),
  ]).toEqual([passes, "RequestLimitExceeded", "RequestLimitExceeded", passes]);
  rig.emulator.fail("DescribeRegions", "500");
  rig.emulator.fail("DescribeRegions", "slow:1");
  const internal = await errorOf(rig.ec2().send(new DescribeRegionsCommand({})));
  expect([internal.name, internal.$metadata?.httpStatusCode]).toEqual(["InternalError", 500]);
  expect(await call("us-east-1")).toBe(passes);
});

test("FLT-1 there may be no room for an instance", async () => {
  await using rig = await newRig();
  const ec2 = rig.ec2();
  rig.emulator.fail("RunInstances", "InsufficientInstanceCapacity");
  const ImageId = await sourceImage(ec2);
  const run = new RunInstancesCommand({ ImageId, MinCount: 1, MaxCount: 1, InstanceType: "m3.medium" });
  const error = await errorOf(ec2.send(run));
  expect([error.name, error.$metadata?.httpStatusCode]).toEqual(["InsufficientInstanceCapacity", 500]);
  expect(rig.emulator.left().instances).toEqual([]);
  await ec2.send(run);
});

test("FLT-2 a cut connection loses the request, or only its answer", async () => {
  await using rig = await newRig();
  const [ec2, s3] = [rig.ec2(), rig.s3()];
  await s3.send(new CreateBucketCommand({ Bucket }));
  const put = (Key: string): Promise<string> =>
    codeOf(s3.send(new PutObjectCommand({ Bucket, Key, Body: Buffer.alloc(1_000_000) })));
  const create = (KeyName: string): Promise<string> =>
    codeOf(ec2.send(new CreateKeyPairCommand({ KeyName, KeyType: "ed25519" })));
  rig.emulator.fail("PutObject", "cut");
  rig.emulator.fail("PutObject", "cut-after");
  rig.emulator.fail("CreateKeyPair", "cut");
  rig.emulator.fail("CreateKeyPair", "cut-after");
  for (const key of ["lost", "kept"]) {
    expect(await put(key)).not.toBe("Error");
    expect(await create(key)).not.toBe("Error");
  }
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket }));
  const { KeyPairs = [] } = await ec2.send(new DescribeKeyPairsCommand({}));
  expect(Contents.map(({ Key }) => Key)).toEqual(["kept"]);
  expect(KeyPairs.map(({ KeyName }) => KeyName)).toEqual(["kept"]);
});

test("FLT-2 a download that is cut breaks off in its middle", async () => {
  await using rig = await newRig();
  const s3 = rig.s3();
  await s3.send(new CreateBucketCommand({ Bucket }));
  await s3.send(new PutObjectCommand({ Bucket, Key: "k", Body: Buffer.alloc(1_000_000) }));
  rig.emulator.fail("GetObject", "cut");
  const { Body, ContentLength } = await s3.send(new GetObjectCommand({ Bucket, Key: "k" }));
  expect(ContentLength).toBe(1_000_000);
  let heard = 0;
  const read = async (): Promise<void> => {
    for await (const chunk of Body as AsyncIterable<Uint8Array>) heard += chunk.length;
  };
  await expect(read()).rejects.toThrow("aborted");
  expect(heard).toBeGreaterThan(0);
  expect(heard).toBeLessThan(1_000_000);
});

test("FLT-3 calls are counted, refused ones too", async () => {
  await using rig = await newRig();
  const ec2 = rig.ec2();
  rig.emulator.deny("DescribeRegions");
  expect(await codeOf(ec2.send(new DescribeRegionsCommand({})))).toBe("UnauthorizedOperation");
  rig.emulator.allow("DescribeRegions");
  await ec2.send(new DescribeRegionsCommand({}));
  expect([rig.emulator.calls("DescribeRegions"), rig.emulator.calls("DescribeVpcs")]).toEqual([2, 0]);
});

test("FLT-4 what is left is told by its ids", async () => {
  await using rig = await newRig();
  const ec2 = rig.ec2("cn-north-1");
  const { KeyPairId } = await ec2.send(new CreateKeyPairCommand({ KeyName: "k", KeyType: "ed25519" }));
  const { GroupId } = await ec2.send(new CreateSecurityGroupCommand({ GroupName: "g", Description: "d" }));
  const id = await launch(ec2);
  expect(rig.emulator.left()).toMatchObject({
    instances: [id],
    keyPairs: [KeyPairId],
    securityGroups: [GroupId],
  });
});

test("EC2-4 what is denied is named", async () => {
  await using rig = await newRig();
  const [ec2, s3] = [rig.ec2(), rig.s3()];
  await s3.send(new CreateBucketCommand({ Bucket, ObjectOwnership: "ObjectWriter" }));
  for (const action of ["ec2:CreateKeyPair", "s3:PutObjectAcl", "s3:GetObject"]) rig.emulator.deny(action);
  const key = await errorOf(ec2.send(new CreateKeyPairCommand({ KeyName: "k" })));
  expect([key.name, key.$metadata?.httpStatusCode]).toEqual(["UnauthorizedOperation", 403]);
  expect(key.message).toContain("ec2:CreateKeyPair");
  const put = (ACL?: "aws-exec-read") => s3.send(new PutObjectCommand({ Bucket, Key: "k", Body: "x", ACL }));
  await put();
  const acl = await errorOf(put("aws-exec-read"));
  expect([acl.name, acl.$metadata?.httpStatusCode]).toEqual(["AccessDenied", 403]);
  expect(acl.message).toContain(`s3:PutObjectAcl on resource: "arn:aws:s3:::${Bucket}/k"`);
  const head = await errorOf(s3.send(new HeadObjectCommand({ Bucket, Key: "k" })));
  expect(head.$metadata?.httpStatusCode).toBe(403);
});
