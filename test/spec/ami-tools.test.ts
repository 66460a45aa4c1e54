import { expect, test } from "vitest";
import { imageOf, specOf } from "./reading.ts";

test("the AMI tools are asked to do what the spec says, and the rest has defaults", async () => {
  const { bundle } = await imageOf("bundle: { method: ami-tools, size: 2GiB, partition: gpt }");
  expect(bundle).toEqual({
    method: "ami-tools",
    name: "image",
    sizeMib: 2048,
    exclude: [],
    partition: "gpt",
    install: "auto",
    installCommands: null,
    destination: null,
    inherit: false,
    credentials: "builder",
    bundleArguments: [],
    uploadArguments: [],
    bundleCommand: "ec2-bundle-vol {arguments}",
    uploadCommand: "ec2-upload-bundle {arguments}",
  });
});

test("an instance profile that the launch names uploads, unless the builder shall", async () => {
  const who = async (credentials: string): Promise<unknown> => {
    const lines = `launch: { instanceTypes: [m3.medium], iamInstanceProfile: builder }
bundle: { method: ami-tools, amiTools: { credentials: ${credentials} } }`;
    const text = `imgspec: 1
name: web
source: { image: ami-0123456789abcdef0 }
connect: { user: ec2-user }
upload: { bucket: acme-images }
${lines}
regions: { us-east-1: {} }
`;
    const [image] = (await specOf(text)).images;
    return image?.bundle.method === "ami-tools" ? image.bundle.credentials : undefined;
  };
  expect(await who("null")).toBe("instance-profile");
  expect(await who("builder")).toBe("builder");
});

test("the method and its keys may differ from region to region", async () => {
  const text = `imgspec: 1
name: web
source: { image: ami-0123456789abcdef0 }
launch: { instanceTypes: [m3.medium] }
connect: { user: ec2-user }
upload: { bucket: acme-images }
regions:
  us-east-1: {}
  us-west-2: { bundle: { method: ami-tools, amiTools: { install: none } } }
`;
  const { images } = await specOf(text);
  expect(images.map(({ bundle }) => bundle.method)).toEqual(["native", "ami-tools"]);
});
