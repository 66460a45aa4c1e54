import {
  CreateLaunchTemplateCommand,
  CreateLaunchTemplateVersionCommand,
  DescribeImagesCommand,
  EC2Client,
  ModifyImageAttributeCommand,
  RegisterImageCommand,
  RunInstancesCommand,
  TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Provider } from "../../src/aws/provider.ts";
import { clouds, createBucket, type TestCloud } from "../help/clouds.ts";
import { hasty, region, signal } from "../store/rig.ts";

const other = "ami-0fedcba9876543210";
const latest = "ami-0aaaaaaaaaaaaaaaa";

for (const { name, skipped, start } of clouds) {
  describe.skipIf(skipped)(`with ${name}`, () => {
    let cloud: TestCloud;
    let provider: Provider;
    let ec2: EC2Client;
    let source: string;

    beforeAll(async () => {
      cloud = await start();
      provider = hasty(cloud).account({ region });
      const { endpointUrl = "", credentials = { accessKeyId: "AKIAEXAMPLE", secretAccessKey: "example" } } =
        cloud.options;
      ec2 = new EC2Client({ endpoint: endpointUrl, region, credentials });
      const { Images = [] } = await ec2.send(
        new DescribeImagesCommand({ Filters: [{ Name: "root-device-type", Values: ["instance-store"] }] }),
      );
      source = Images[0]?.ImageId ?? "";
      await createBucket(cloud, "acme-inventory", region);
    });
    afterAll(async () => {
      ec2.destroy();
      await cloud[Symbol.asyncDispose]();
    });

    test("the regions are those of the caller's partition", async () => {
      const names = await provider.regions(signal);
      expect(names).toEqual(expect.arrayContaining(["eu-west-1", "us-east-1"]));
      expect(names.filter((one) => /^(cn|us-gov)-/.test(one))).toEqual([]);
      const gov = await hasty(cloud).account({ region: "us-gov-west-1" }).regions(signal);
      expect(gov).toEqual(["us-gov-east-1", "us-gov-west-1"]);
    });

    test("the instances of an image are told until they are terminated", async () => {
      const run = new RunInstancesCommand({
        ImageId: source,
        InstanceType: "m3.medium",
        MinCount: 1,
        MaxCount: 1,
      });
      const id = (await ec2.send(run)).Instances?.[0]?.InstanceId ?? "";
      // More than one request may name.
      const many = Array.from({ length: 250 }, (_, index) => `ami-${String(index).padStart(17, "0")}`);
      const found = await provider.instancesOf([...many, source], signal);
      expect(found).toEqual([{ image: source, id, state: expect.stringMatching(/^(pending|running)$/) }]);
      expect(await provider.instancesOf([other], signal)).toEqual([]);
      await ec2.send(new TerminateInstancesCommand({ InstanceIds: [id] }));
      await expect.poll(() => provider.instancesOf([source], signal)).toEqual([]);
    });

    test("a launch template uses the image of its default and of its latest version, and none between", async () => {
      const LaunchTemplateName = "web";
      const version = (ImageId: string): CreateLaunchTemplateVersionCommand =>
        new CreateLaunchTemplateVersionCommand({ LaunchTemplateName, LaunchTemplateData: { ImageId } });
      const data = { LaunchTemplateData: { ImageId: source } };
      const made = await ec2.send(new CreateLaunchTemplateCommand({ LaunchTemplateName, ...data }));
      const id = made.LaunchTemplate?.LaunchTemplateId ?? "";
      expect(await provider.launchTemplatesOf([source, other], signal)).toEqual([
        { image: source, id, name: "web", version: 1 },
      ]);
      await ec2.send(version(other));
      await ec2.send(version(latest));
      const used = await provider.launchTemplatesOf([source, other, latest], signal);
      expect(Object.fromEntries(used.map(({ image, version: number }) => [image, number]))).toEqual({
        [source]: 1,
        [latest]: 3,
      });
    });

    test.skipIf(name === "the emulator")("whom an image is shared with is told", async () => {
      const { ImageId = "" } = await ec2.send(
        new RegisterImageCommand({ Name: "shared", ImageLocation: "acme-inventory/a.manifest.xml" }),
      );
      expect(await provider.launchPermissions(ImageId, signal)).toEqual([]);
      const Add = [{ UserId: "210987654321" }, { Group: "all" as const }];
      await ec2.send(new ModifyImageAttributeCommand({ ImageId, LaunchPermission: { Add } }));
      expect(await provider.launchPermissions(ImageId, signal)).toEqual(["210987654321", "all"]);
    });
  });
}
