import { createHash } from "node:crypto";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { GroupRequest, LaunchRequest, Provider } from "../../src/aws/provider.ts";
import { toCloud } from "../../src/aws/sdk-cloud.ts";
import { clouds, createBucket, type TestCloud } from "../help/clouds.ts";

const signal = new AbortController().signal;
const tags = { "imgspec:run": "20261122-213330-k3v9" };
const publicKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIvJ4wS8QQeXJ5JrG1gWk3cHn3T2TqkU1Nn4JpM3lQxA test";

const regions = [
  { region: "us-east-1", partition: "aws" },
  { region: "cn-north-1", partition: "aws-cn" },
  { region: "us-gov-west-1", partition: "aws-us-gov" },
];

for (const { name, skipped, start } of clouds) {
  describe.skipIf(skipped)(name, () => {
    let cloud: TestCloud;
    beforeAll(async () => {
      cloud = await start();
    });
    afterAll(() => cloud[Symbol.asyncDispose]());

    describe.each(regions)("in $region", ({ region, partition }) => {
      const provider = (): Provider => toCloud(cloud.options).account({ region });
      const someImage = async (): Promise<string> => {
        const [found] = await provider().findImages({ owners: ["amazon"] }, signal);
        return found?.id ?? "";
      };

      test("the caller has an ARN of the region's partition", async () => {
        const { account, arn } = await provider().caller(signal);
        expect([account, arn.split(":")[1]]).toEqual([expect.stringMatching(/^\d{12}$/), partition]);
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
        const image = await someImage();
        const found = await provider().findImages({ ids: [image] }, signal);
        expect(found).toMatchObject([
          { id: image, architecture: "x86_64", state: "available", rootDeviceType: "instance-store" },
        ]);
        expect(await provider().findImages({ ids: ["ami-0123456789abcdef0"] }, signal)).toEqual([]);
      });

      test("an instance is launched, described and terminated, and all that let us in goes too", async () => {
        const ec2 = provider();
        const key = await ec2.importKeyPair({ name: "build", publicKey, tags }, signal);
        const group = await ec2.createSecurityGroup(toGroup("build"), signal);
        const request = toLaunch(await someImage(), "build", group.id);

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

      test("an object keeps its SHA-1, comes back whole, and goes", async () => {
        const s3 = provider();
        const bucket = `images-${region}`;
        await createBucket(cloud, bucket, region);
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
        expect(await s3.probePut({ bucket, key: "probe" }, "aws-exec-read", signal)).toEqual({
          removed: true,
        });
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
  });
}

function toGroup(name: string): GroupRequest {
  return {
    name,
    description: "SSH from 127.0.0.1/32",
    subnet: null,
    port: 22,
    cidrs: ["127.0.0.1/32"],
    tags,
  };
}

function toLaunch(image: string, keyName: string, group: string): LaunchRequest {
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
