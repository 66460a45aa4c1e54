import { expect, test } from "vitest";
import type { Image, ImageQuery } from "../../src/aws/provider.ts";
import { openSource } from "../../src/command/convert-source.ts";
import { goldenPath, userPrivateKey } from "../bundle/golden.ts";
import { toImage } from "../help/stage-inputs.ts";
import { newProvider } from "../help/stage-rig.ts";

const signal = new AbortController().signal;
const options = { region: "us-east-1", privateKey: userPrivateKey };

function cloudWith(images: readonly Image[]) {
  const findImages = async ({ ids = [] }: ImageQuery) => images.filter(({ id }) => ids.includes(id));
  return { options: {}, account: () => newProvider({ findImages }) };
}

test.each([
  ["ami-0123456789abcdef1", "source-missing", "there is no image ami-0123456789abcdef1 in us-east-1"],
  [
    "ami-0123456789abcdef0",
    "not-convertible",
    "ami-0123456789abcdef0 boots from ebs, not from a bundle in S3",
  ],
])("%s is refused: %s", async (id, code, message) => {
  const cloud = cloudWith([toImage({ rootDeviceType: "ebs" })]);
  await expect(openSource(cloud, id, options, signal)).rejects.toMatchObject({ code, message });
});

test("a manifest in a file says what it knows, of the image and where its disks are", async () => {
  const path = goldenPath("ruby153/small/small.img.manifest.xml");
  const { image, account, name } = await openSource(cloudWith([]), path, options, signal);
  expect({ ...image, account, source: name }).toMatchObject({
    source: path,
    account: { region: "us-east-1" },
    name: "small.img",
    sizeBytes: 3 * 1024 * 1024,
    architecture: "x86_64",
    virtualization: null,
    rootDevice: expect.stringMatching(/^\/dev\/sda1?$/),
    enaSupport: false,
    tags: {},
  });
});
