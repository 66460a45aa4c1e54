import { expect, test } from "vitest";
import type { Image, ImageQuery } from "../../src/aws/provider.ts";
import { findSource, type SourceQuery } from "../../src/stage/source.ts";
import { toImage } from "../help/stage-inputs.ts";
import { newProvider } from "../help/stage-rig.ts";

const signal = new AbortController().signal;
const old = toImage({ id: "ami-old", name: "web 1", createdAt: "2026-01-01T00:00:00.000Z" });
const young = toImage({ id: "ami-young", name: "web 2", createdAt: "2026-10-01T00:00:00.000Z" });

test("of several AMIs the newest is taken, in whatever order EC2 names them", async () => {
  for (const images of [
    [old, young],
    [young, old],
  ]) {
    expect(await find(images, toQuery({ newest: true }))).toMatchObject({ id: "ami-young" });
  }
});

test("several AMIs without `newest` are told by id and name, and none is taken", async () => {
  await expect(find([old, young], toQuery({ newest: false }))).rejects.toMatchObject({
    code: "source-missing",
    message: "2 AMIs in us-east-1 match source.find: ami-young web 2, ami-old web 1",
    hint: "set source.find.newest: true, or narrow the name",
  });
});

test("no AMI is told with all that was asked for and the command to look for oneself", async () => {
  await expect(find([], toQuery({ name: "web *", architecture: "i386" }))).rejects.toMatchObject({
    code: "source-missing",
    message:
      "no AMI in us-east-1 is owned by amazon with root-device-type=instance-store image-type=machine state=available name=web * architecture=i386",
    hint: "look with: aws ec2 describe-images --region us-east-1 --owners amazon",
  });
});

test("only available machine images with an instance-store root are asked for, and the spec's filters are added", async () => {
  const asked: ImageQuery[] = [];
  await find([old], toQuery({ filters: { "tag:stage": ["prod", "test"] }, virtualization: "hvm" }), asked);
  expect(asked).toEqual([
    {
      owners: ["amazon"],
      filters: {
        "root-device-type": ["instance-store"],
        "image-type": ["machine"],
        state: ["available"],
        "virtualization-type": ["hvm"],
        "tag:stage": ["prod", "test"],
      },
    },
  ]);
});

test("an AMI named by its id is taken as it is", async () => {
  const asked: ImageQuery[] = [];
  expect(await find([old], { kind: "image", image: "ami-old" }, asked)).toBe(old);
  expect(asked).toEqual([{ ids: ["ami-old"] }]);
});

test.each([
  [{ rootDeviceType: "ebs" }, "the source AMI ami-old has an ebs root"],
  [{ state: "pending" }, "the source AMI ami-old is pending"],
])("an AMI that is %o is refused", async (change, message) => {
  const query = { kind: "image", image: "ami-old" } as const;
  await expect(find([{ ...old, ...change }], query)).rejects.toMatchObject({
    code: "source-missing",
    message,
  });
});

function find(images: readonly Image[], query: SourceQuery, asked: ImageQuery[] = []): Promise<Image> {
  const findImages = (query: ImageQuery): Promise<readonly Image[]> => {
    asked.push(query);
    return Promise.resolve(images);
  };
  return findSource(newProvider({ findImages }), query, signal);
}

function toQuery(change: Partial<Extract<SourceQuery, { kind: "find" }>>): SourceQuery {
  return {
    kind: "find",
    name: null,
    owners: ["amazon"],
    architecture: null,
    virtualization: null,
    newest: false,
    filters: {},
    ...change,
  };
}
