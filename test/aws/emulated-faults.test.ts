import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { defaultPatience } from "../../src/aws/patience.ts";
import type { GroupRequest, LaunchRequest, Provider } from "../../src/aws/provider.ts";
import { toCloud } from "../../src/aws/sdk-cloud.ts";
import { createBucket, startEmulatedCloud } from "../help/clouds.ts";

const signal = new AbortController().signal;
const region = "us-east-1";
const bucket = "acme-images";
const publicKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIvJ4wS8QQeXJ5JrG1gWk3cHn3T2TqkU1Nn4JpM3lQxA test";
const patience = { ...defaultPatience, attempts: 2, firstPauseMs: 5, longestPauseMs: 20 };

let cloud: Awaited<ReturnType<typeof startEmulatedCloud>>;
let provider: Provider;
let name: string;
let count = 0;

beforeAll(async () => {
  cloud = await startEmulatedCloud();
  await createBucket(cloud, bucket, region);
});
afterAll(() => cloud[Symbol.asyncDispose]());

beforeEach(() => {
  provider = toCloud(cloud.options, patience).account({ region });
  count += 1;
  name = `build-${count}`;
});

test("a launch whose answer was lost is the same instance when it is asked for again", async () => {
  const request = await toLaunch();
  cloud.emulator.fail("RunInstances", "cut-after");
  const { id } = await provider.launchInstance(request, signal);
  expect(cloud.emulator.left().instances).toEqual([id]);
  await provider.terminateInstance(id, signal);
  expect(cloud.emulator.left().instances).toEqual([]);
});

test("a key pair whose answer was lost is found again", async () => {
  cloud.emulator.fail("ImportKeyPair", "cut-after");
  const tags = { "imgspec:run": name };
  const { id } = await provider.importKeyPair({ name, publicKey, tags }, signal);
  expect(await provider.importKeyPair({ name, publicKey, tags }, signal)).toEqual({ id });
  await provider.deleteKeyPair(id, signal);
});

test.each(["CreateSecurityGroup", "AuthorizeSecurityGroupIngress"])(
  "a security group is one and is open, though the answer to %s was lost",
  async (action) => {
    cloud.emulator.fail(action, "cut-after");
    const before = cloud.emulator.left().securityGroups;
    const { id } = await provider.createSecurityGroup(toGroup(), signal);
    expect(cloud.emulator.left().securityGroups).toEqual([...before, id]);
    await provider.deleteSecurityGroup(id, signal);
    expect(cloud.emulator.left().securityGroups).toEqual(before);
  },
);

test("a type without room says so at once, and leaves nothing behind", async () => {
  const request = await toLaunch();
  const before = cloud.emulator.calls("RunInstances");
  cloud.emulator.fail("RunInstances", "InsufficientInstanceCapacity");
  await expect(provider.launchInstance(request, signal)).rejects.toMatchObject({
    code: "capacity-missing",
    hint: expect.stringContaining("launch.instanceTypes"),
  });
  expect(cloud.emulator.calls("RunInstances")).toBe(before + 1);
  expect(cloud.emulator.left().instances).toEqual([]);
});

test.each([
  { action: "ec2:RunInstances", act: async () => provider.launchInstance(await toLaunch(), signal) },
  { action: "ec2:RunInstances", act: async () => provider.canLaunchInstance(await toLaunch(), signal) },
  { action: "ec2:ImportKeyPair", act: () => provider.importKeyPair({ name, publicKey, tags: {} }, signal) },
  { action: "ec2:CreateSecurityGroup", act: () => provider.createSecurityGroup(toGroup(), signal) },
  { action: "ec2:DescribeImages", act: () => provider.findImages({ owners: ["self"] }, signal) },
  { action: "s3:PutObject", act: probe },
  { action: "s3:PutObjectAcl", act: probe },
])("a caller without $action is told that by name", async ({ action, act }) => {
  const { arn } = await provider.caller(signal);
  cloud.emulator.deny(action);
  const outcome = await act().catch((error: unknown) => error);
  cloud.emulator.allow(action);
  expect(outcome).toMatchObject({
    code: "permission-denied",
    message: expect.stringContaining(`${arn} may not ${action}`),
  });
});

test("a bucket that refuses ACLs is named with the command that lets them in", async () => {
  cloud.emulator.fail("PutObject", "AccessControlListNotSupported");
  await expect(probe()).rejects.toMatchObject({
    code: "bucket-unusable",
    hint: expect.stringContaining(`aws s3api put-bucket-ownership-controls --bucket ${bucket}`),
  });
});

test("S3 refuses bytes that are not those of the digest", async () => {
  const body = {
    bytes: Buffer.from("other"),
    sha1: "a9993e364706816aba3e25717850c26c9cd0d89d",
    contentType: "text/plain",
    acl: "aws-exec-read",
  };
  await expect(provider.putObject({ bucket, key: name }, body, signal)).rejects.toMatchObject({
    code: "aws-fault",
    message: expect.stringMatching(/BadDigest|InvalidRequest/),
  });
  expect(await provider.headObject({ bucket, key: name }, signal)).toBeNull();
});

function probe(): Promise<unknown> {
  return provider.probePut({ bucket, key: `${name}/probe` }, "aws-exec-read", signal);
}

function toGroup(): GroupRequest {
  const tags = { "imgspec:run": name };
  return { name, description: "SSH", subnet: null, port: 22, cidrs: ["127.0.0.1/32"], tags };
}

async function toLaunch(): Promise<LaunchRequest> {
  const [image] = await provider.findImages({ owners: ["amazon"] }, signal);
  const tags = { "imgspec:run": name };
  await provider.importKeyPair({ name, publicKey, tags }, signal);
  const { id } = await provider.createSecurityGroup(toGroup(), signal);
  return {
    image: image?.id ?? "",
    instanceType: "m3.medium",
    keyName: name,
    securityGroups: [id],
    subnet: null,
    iamInstanceProfile: null,
    userData: null,
    clientToken: name,
    tags,
  };
}
