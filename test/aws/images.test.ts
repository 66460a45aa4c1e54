import { expect, test } from "vitest";
import { type Answer, ec2Answer, ec2Fault, startScriptedAws, turns } from "../help/scripted-aws.ts";

const signal = new AbortController().signal;

test("a registration whose answer was lost is found again by its tags and its manifest", async () => {
  const duplicate = ec2Fault("InvalidAMIName.Duplicate", "AMI name web is already in use by AMI ami-1");
  await using aws = await startScriptedAws(
    turns({ RegisterImage: ["cut", duplicate], DescribeImages: [image("ours")] }),
  );
  expect(await aws.account().registerImage(registration, signal)).toEqual({ id: "ami-1" });
});

test("a name that another image has is taken, and the image is named", async () => {
  const duplicate = ec2Fault("InvalidAMIName.Duplicate", "AMI name web is already in use by AMI ami-1");
  await using aws = await startScriptedAws(
    turns({ RegisterImage: [duplicate], DescribeImages: [image("another's")] }),
  );
  await expect(aws.account().registerImage(registration, signal)).rejects.toMatchObject({
    code: "name-taken",
    message: 'there is already an image named "web" in us-east-1: ami-1',
  });
});

function image(run: string): Answer {
  const tags = `<tagSet><item><key>imgspec:run</key><value>${run}</value></item></tagSet>`;
  return ec2Answer(
    "DescribeImages",
    `<imagesSet><item><imageId>ami-1</imageId><imageLocation>acme/web.manifest.xml</imageLocation>${tags}</item></imagesSet>`,
  );
}

const registration = {
  name: "web",
  description: null,
  location: "acme/web.manifest.xml",
  architecture: "x86_64",
  virtualization: "hvm",
  kernel: null,
  ramdisk: null,
  blockDeviceMappings: [],
  tags: { "imgspec:run": "ours" },
};
