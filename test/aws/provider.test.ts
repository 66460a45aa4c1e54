import { createHash } from "node:crypto";
import { text } from "node:stream/consumers";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LaunchRequest, Provider } from "../../src/aws/provider.ts";
import { toCloud } from "../../src/aws/sdk-cloud.ts";
import { haveMoto, type Moto, startMoto } from "../help/moto.ts";

const credentials = { accessKeyId: "AKIAEXAMPLE", secretAccessKey: "example" };
const signal = new AbortController().signal;
const tags = { "imgspec:run": "20261122-213330-k3v9" };
const publicKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIvJ4wS8QQeXJ5JrG1gWk3cHn3T2TqkU1Nn4JpM3lQxA test";

/** moto knows these in every region (its list of AMIs). */
const image = "ami-03cf127a";

describe.skipIf(!haveMoto)("moto, an AWS by other hands (skipped where python3 has no moto)", () => {
  let moto: Moto;
  beforeAll(async () => {
    moto = await startMoto();
  });
  afterAll(() => moto[Symbol.asyncDispose]());

  describe.each([
    { region: "us-east-1", partition: "aws" },
    { region: "cn-north-1", partition: "aws-cn" },
    { region: "us-gov-west-1", partition: "aws-us-gov" },
  ])("in $region", ({ region, partition }) => {
    const provider = (): Provider => toCloud({ endpointUrl: moto.url, credentials }).account({ region });

    test("the caller has an ARN of the region's partition", async () => {
      const { account, arn } = await provider().caller(signal);
      expect([account, arn.split(":")[1]]).toEqual(["123456789012", partition]);
    });

    test("a type that EC2 does not know is left out, and one that can have an instance store root says so", async () => {
      expect(await provider().instanceTypes(["m3.medium", "m3.huge"], signal)).toEqual([
        {
          name: "m3.medium",
          rootDeviceTypes: ["ebs", "instance-store"],
          architectures: ["x86_64"],
          virtualizations: ["hvm", "paravirtual"],
        },
      ]);
    });

    test("an image is found by its id, and one that is not there is nothing", async () => {
      const found = await provider().findImages({ ids: [image] }, signal);
      expect(found.map(({ id, architecture, state }) => [id, architecture, state])).toEqual([
        [image, "x86_64", "available"],
      ]);
      expect(await provider().findImages({ ids: ["ami-0123456789abcdef0"] }, signal)).toEqual([]);
    });

    test("an instance is launched, described and terminated, and all that let us in goes too", async () => {
      const ec2 = provider();
      const key = await ec2.importKeyPair({ name: "build", publicKey, tags }, signal);
      const group = await ec2.createSecurityGroup(toGroup("build"), signal);
      const request = toLaunch("build", group.id);

      await ec2.canLaunchInstance(request, signal);
      const { id } = await ec2.launchInstance(request, signal);
      expect(await ec2.describeInstance(id, signal)).toMatchObject({ id, state: "running" });
      expect(await ec2.consoleOutput(id, signal)).toContain("Linux version");
      await ec2.terminateInstance(id, signal);
      expect(await ec2.describeInstance(id, signal)).toMatchObject({ state: "terminated" });

      await ec2.deleteSecurityGroup(group.id, signal);
      await ec2.deleteKeyPair(key.id, signal);
    });

    test("a release succeeds when there is nothing left", async () => {
      const ec2 = provider();
      await ec2.terminateInstance("i-0123456789abcdef0", signal);
      await ec2.deleteSecurityGroup("sg-0123456789abcdef0", signal);
      await ec2.deleteKeyPair("key-0123456789abcdef0", signal);
      await ec2.deregisterImage("ami-0123456789abcdef0", signal);
    });

    test("a key pair that is there already is taken when it carries our tags, and refused when not", async () => {
      const ec2 = provider();
      const first = await ec2.importKeyPair({ name: "twice", publicKey, tags }, signal);
      expect(await ec2.importKeyPair({ name: "twice", publicKey, tags }, signal)).toEqual(first);
      const others = { name: "twice", publicKey, tags: { "imgspec:run": "another" } };
      await expect(ec2.importKeyPair(others, signal)).rejects.toMatchObject({
        code: "aws-fault",
        message: expect.stringContaining("InvalidKeyPair.Duplicate"),
      });
    });

    test("a security group that is there already is taken when it carries our tags", async () => {
      const ec2 = provider();
      const first = await ec2.createSecurityGroup(toGroup("twice"), signal);
      expect(await ec2.createSecurityGroup(toGroup("twice"), signal)).toEqual(first);
    });

    test("an image is registered, found by its owner, and deregistered", async () => {
      const ec2 = provider();
      const { id } = await ec2.registerImage(
        {
          name: "web-base",
          description: "a test",
          location: "bucket/web-base.manifest.xml",
          architecture: "x86_64",
          virtualization: "hvm",
          kernel: null,
          ramdisk: null,
          blockDeviceMappings: [{ device: "/dev/sdb", virtual: "ephemeral0" }],
          tags,
        },
        signal,
      );
      const own = { owners: ["self"], filters: { name: ["web-base"] } };
      expect((await ec2.findImages(own, signal)).map((found) => found.id)).toEqual([id]);
      await ec2.deregisterImage(id, signal);
      expect(await ec2.findImages(own, signal)).toEqual([]);
      await ec2.deregisterImage(id, signal);
    });

    test("an object keeps its SHA-1, comes back whole, and goes", async () => {
      const s3 = provider();
      const bucket = `images-${region}`;
      await createBucket(bucket, region);
      expect(await s3.bucket(bucket, signal)).toEqual({ name: bucket, region, ownership: "ObjectWriter" });

      const where = { bucket, key: "web-base/image.part.00" };
      const bytes = Buffer.from("part");
      const sha1 = createHash("sha1").update(bytes).digest("hex");
      expect(await s3.headObject(where, signal)).toBeNull();
      await s3.putObject(where, { bytes, sha1, contentType: "text/plain", acl: "aws-exec-read" }, signal);
      expect(await s3.headObject(where, signal)).toEqual({ sizeBytes: 4, sha1 });
      expect(await text(await s3.getObject(where, signal))).toBe("part");
      await s3.deleteObject(where, signal);
      await s3.deleteObject(where, signal);
      expect(await s3.headObject(where, signal)).toBeNull();
      expect(await s3.probePut({ bucket, key: "probe" }, "aws-exec-read", signal)).toEqual({ removed: true });
      expect(await s3.headObject({ bucket, key: "probe" }, signal)).toBeNull();
    });

    test("a bucket that does not exist is said to be missing, with the command that makes it", async () => {
      await expect(provider().bucket("no-such-bucket", signal)).rejects.toMatchObject({
        code: "bucket-unusable",
        message: "bucket no-such-bucket does not exist",
        hint: expect.stringContaining(`aws s3api create-bucket --bucket no-such-bucket`),
      });
    });
  });

  async function createBucket(name: string, region: string): Promise<void> {
    const client = new S3Client({ endpoint: moto.url, region, credentials, forcePathStyle: true });
    const place =
      region === "us-east-1" ? {} : { CreateBucketConfiguration: { LocationConstraint: region as never } };
    await client.send(new CreateBucketCommand({ Bucket: name, ...place }));
  }
});

function toGroup(name: string) {
  return { name, description: "SSH from 127.0.0.1/32", subnet: null, port: 22, cidr: "127.0.0.1/32", tags };
}

function toLaunch(keyName: string, group: string): LaunchRequest {
  return {
    image,
    instanceType: "m3.medium",
    keyName,
    securityGroups: [group],
    subnet: null,
    iamInstanceProfile: null,
    userData: "#!/bin/sh\ntrue\n",
    clientToken: "20261122-213330-k3v9",
    tags,
  };
}
