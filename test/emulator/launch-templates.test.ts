import {
  CreateLaunchTemplateCommand,
  CreateLaunchTemplateVersionCommand,
  DeleteLaunchTemplateCommand,
  DescribeLaunchTemplateVersionsCommand,
  DescribeRegionsCommand,
  type EC2Client,
  ModifyLaunchTemplateCommand,
} from "@aws-sdk/client-ec2";
import { expect, test } from "vitest";
import { haveMoto } from "../help/moto.ts";
import { newMotoRig, normalised } from "./moto-rig.ts";
import { codeOf, newRig } from "./rig.ts";

const images = ["ami-0000000000000000a", "ami-0000000000000000b", "ami-0000000000000000c"] as const;
const LaunchTemplateName = "web";

test("EC2-21 of all launch templates the default and the latest versions are told, of one every version", async () => {
  await using rig = await newRig();
  const told = await tell(rig.ec2());
  expect(told).toMatchObject({
    all: ["web 1 true", "web 3 false"],
    one: ["web 1 true", "web 2 false", "web 3 false"],
    moved: ["web 2 true", "web 3 false"],
    numbered: "InvalidParameterValue",
    none: "MissingParameter",
  });
  expect(told.filtered).toEqual(["web 3 false"]);
});

test("EC2-22 a region tells those of its partition", async () => {
  await using rig = await newRig();
  const names = async (region: string): Promise<unknown> =>
    (await rig.ec2(region).send(new DescribeRegionsCommand({}))).Regions?.map(({ RegionName }) => RegionName);
  expect(await names("cn-northwest-1")).toEqual(["cn-north-1", "cn-northwest-1"]);
  expect(await names("us-gov-west-1")).toEqual(["us-gov-east-1", "us-gov-west-1"]);
  expect(await names("us-east-1")).not.toContain("cn-north-1");
});

test.skipIf(!haveMoto)("moto and the emulator tell the same of launch templates", async () => {
  await using rig = await newMotoRig();
  const [moto, ours] = await rig.both(async ({ ec2 }) => {
    // Filters are what moto does not know.
    const { filtered: _, ...told } = await tell(ec2("us-east-1"));
    return normalised(told);
  });
  expect(ours).toEqual(moto);
});

/** Makes a template of three versions, and asks for them in every way. */
async function tell(ec2: EC2Client) {
  const describe = async (input: object): Promise<readonly string[]> => {
    const answer = await ec2.send(new DescribeLaunchTemplateVersionsCommand(input));
    return (answer.LaunchTemplateVersions ?? [])
      .map((one) => `${one.LaunchTemplateName} ${one.VersionNumber} ${one.DefaultVersion}`)
      .sort();
  };
  const both = { Versions: ["$Latest", "$Default"] };
  const [first, ...others] = images;
  const data = { ImageId: first, InstanceType: "m3.medium" as const };
  const create = new CreateLaunchTemplateCommand({ LaunchTemplateName, LaunchTemplateData: data });
  const { LaunchTemplate } = await ec2.send(create);
  for (const ImageId of others) {
    const LaunchTemplateData = { ImageId };
    await ec2.send(new CreateLaunchTemplateVersionCommand({ LaunchTemplateName, LaunchTemplateData }));
  }
  const told = {
    made: [LaunchTemplate?.DefaultVersionNumber, LaunchTemplate?.LatestVersionNumber],
    twice: await codeOf(ec2.send(create)),
    all: await describe(both),
    one: await describe({ LaunchTemplateName }),
    numbered: await codeOf(describe({ Versions: ["2"] })),
    none: await codeOf(describe({})),
    filtered: await describe({ ...both, Filters: [{ Name: "image-id", Values: [images[2]] }] }),
    gone: await codeOf(describe({ LaunchTemplateId: "lt-0123456789abcdef0" })),
  };
  await ec2.send(new ModifyLaunchTemplateCommand({ LaunchTemplateName, DefaultVersion: "2" }));
  const moved = await describe(both);
  await ec2.send(new DeleteLaunchTemplateCommand({ LaunchTemplateName }));
  return { ...told, moved, left: await describe(both) };
}
