import { expect, test } from "vitest";
import { least, nativeOf, refusalOf, specOf } from "./reading.ts";

const text = `${least}register: { name: "web \${{ region.name }} \${{ region.dnsSuffix }}", tags: { a: "1", b: "2" } }
bundle: { exclude: [/one/**] }
regions:
  us-east-1: {}
  us-gov-west-1:
    profile: gov
    upload: { bucket: acme-gov, acl: ec2-bundle-read }
    register: { tags: { b: "3" } }
    bundle: { exclude: [/two/**] }
    provision:
  cn-north-1:
    source: { find: { owner: self } }
    launch:
`;

test("a region's sections are laid over the common ones, and expressions are evaluated there", async () => {
  const { images } = await specOf(text);
  const seen = images
    .map((image) => ({ ...image, native: nativeOf(image) }))
    .map(({ region, profile, upload, register, native, source }) => ({
      region: [region.name, region.partition, profile],
      bucket: [upload.bucket, upload.acl],
      name: register.name,
      tags: register.tags,
      exclude: native.image.exclude.slice(7),
      source: source.kind,
    }));
  expect(seen).toEqual([
    {
      region: ["us-east-1", "aws", null],
      bucket: ["acme-images", "aws-exec-read"],
      name: "web us-east-1 amazonaws.com",
      tags: { a: "1", b: "2" },
      exclude: ["/one/**"],
      source: "image",
    },
    {
      region: ["us-gov-west-1", "aws-us-gov", "gov"],
      bucket: ["acme-gov", "ec2-bundle-read"],
      name: "web us-gov-west-1 amazonaws.com",
      tags: { a: "1", b: "3" },
      exclude: ["/two/**"],
      source: "image",
    },
    {
      region: ["cn-north-1", "aws-cn", null],
      bucket: ["acme-images", "aws-exec-read"],
      name: "web cn-north-1 amazonaws.com.cn",
      tags: { a: "1", b: "2" },
      exclude: ["/one/**"],
      source: "find",
    },
  ]);
});

test("only the regions that are asked for are built, in the order of the spec", async () => {
  const { images } = await specOf(text, { regions: ["cn-north-1", "us-east-1"] });
  expect(images.map(({ region }) => region.name)).toEqual(["us-east-1", "cn-north-1"]);
});

test("a region that the spec does not have is a wrong use", async () => {
  expect(await refusalOf(specOf(text, { regions: ["us-esat-1"] }))).toEqual([
    'usage-wrong the spec has no region "us-esat-1" (did you mean --region us-east-1?)',
  ]);
  expect(await refusalOf(specOf(text, { regions: ["sa-east-1", "moon"] }))).toHaveLength(1);
});

test("a mistake in a region that is not asked for does not stop the others", async () => {
  const broken = text.replace("acme-gov,", "Acme_Gov,");
  expect(await refusalOf(specOf(broken))).toHaveLength(1);
  expect((await specOf(broken, { regions: ["us-east-1"] })).images).toHaveLength(1);
});
