import {
  DeregisterImageCommand,
  DescribeImageAttributeCommand,
  DescribeImagesCommand,
  type EC2Client,
  GetConsoleOutputCommand,
  ModifyImageAttributeCommand,
  RegisterImageCommand,
  type RegisterImageCommandInput,
  RunInstancesCommand,
} from "@aws-sdk/client-ec2";
import { DeleteObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { expect, test } from "vitest";
import {
  Bucket,
  location,
  makeBucket,
  manifestOf,
  newBundle,
  store,
  storeManifest,
  toReadOnly,
} from "./bundled-image.ts";
import { describe, launch } from "./launch.ts";
import { codeOf, errorOf, newRig, until } from "./rig.ts";

const bundle = await newBundle();

async function register(ec2: EC2Client, input: Partial<RegisterImageCommandInput> = {}): Promise<string> {
  const request = { Name: "web", ImageLocation: location, VirtualizationType: "hvm", ...input };
  return (await ec2.send(new RegisterImageCommand(request))).ImageId ?? "";
}

async function imageOf(ec2: EC2Client, id: string) {
  return (await ec2.send(new DescribeImagesCommand({ ImageIds: [id] }))).Images?.[0];
}

async function available(ec2: EC2Client, id: string): Promise<void> {
  await until(
    () => imageOf(ec2, id),
    (image) => image?.State === "available",
  );
}

test("IMG-1 a bundle becomes an image, and its instances have the image as their root", async () => {
  await using rig = await newRig();
  const [ec2, s3] = [rig.ec2(), rig.s3()];
  await makeBucket(s3);
  await store(s3, bundle, manifestOf(bundle, rig.emulator));
  const TagSpecifications = [{ ResourceType: "image" as const, Tags: [{ Key: "imgspec:run", Value: "r1" }] }];
  const id = await register(ec2, { TagSpecifications, Description: "d" });
  const run = new RunInstancesCommand({ ImageId: id, MinCount: 1, MaxCount: 1, InstanceType: "m3.medium" });
  expect((await imageOf(ec2, id))?.State).toBe("pending");
  expect(await codeOf(ec2.send(run))).toBe("InvalidAMIID.Unavailable");
  await available(ec2, id);
  expect(await imageOf(ec2, id)).toMatchObject({
    Name: "web",
    Description: "d",
    ImageLocation: location,
    OwnerId: rig.emulator.accountId,
    Public: false,
    Architecture: "x86_64",
    VirtualizationType: "hvm",
    RootDeviceType: "instance-store",
    RootDeviceName: "/dev/sda1",
    BlockDeviceMappings: [{ DeviceName: "sdb", VirtualName: "ephemeral0" }],
    Tags: [{ Key: "imgspec:run", Value: "r1" }],
  });
  const instance = await launch(ec2, { ImageId: id });
  expect((await describe(ec2, instance))?.State?.Name).toBe("running");
  expect(rig.host.images.map(({ bytes }) => bytes.equals(bundle.image))).toEqual([true]);
  await launch(ec2, { ImageId: id });
  expect(rig.host.images).toHaveLength(1);
});

test("IMG-2 a bundle wrapped for another key does not open", async () => {
  await using rig = await newRig();
  const s3 = rig.s3();
  await makeBucket(s3);
  for (const variant of ["gov", "cn-north-1"] as const) {
    await store(s3, bundle, manifestOf(bundle, rig.emulator, { variant }));
    expect(await codeOf(register(rig.ec2()))).toBe("InvalidManifest");
  }
  const Owners = ["self"];
  expect((await rig.ec2().send(new DescribeImagesCommand({ Owners }))).Images).toEqual([]);
});

test("IMG-3 EC2 reads only what it may read, and says what it could not", async () => {
  await using rig = await newRig();
  const s3 = rig.s3();
  await makeBucket(s3);
  const refusal = async (): Promise<unknown> => {
    const { name, message } = await errorOf(register(rig.ec2()));
    return [name, message];
  };
  const url = (key: string): string => `http://s3.amazonaws.com:80/${Bucket}/${key}`;
  const manifest = manifestOf(bundle, rig.emulator);
  expect(await refusal()).toEqual([
    "InvalidManifest",
    `HTTP 404 (Not Found) response for URL ${url("web/web.manifest.xml")}`,
  ]);
  await store(s3, bundle, manifest, { manifest: "private" });
  expect(await refusal()).toEqual([
    "InvalidManifest",
    `HTTP 403 (Forbidden) response for URL ${url("web/web.manifest.xml")}`,
  ]);
  await store(s3, bundle, manifest, { parts: "private", manifest: "public-read" });
  expect(await refusal()).toEqual([
    "InvalidManifest",
    expect.stringContaining(`HTTP 403 (Forbidden) response for URL ${url("web/web.part.0")}`),
  ]);
  await store(s3, bundle, manifest);
  await s3.send(new DeleteObjectCommand({ Bucket, Key: "web/web.part.1" }));
  expect(await refusal()).toEqual([
    "InvalidManifest",
    expect.stringContaining(`HTTP 404 (Not Found) response for URL ${url("web/web.part.1")}`),
  ]);
});

test("IMG-4 what EC2 looks for in a manifest must be there; the signature may be anything", async () => {
  await using rig = await newRig();
  const [ec2, s3] = [rig.ec2(), rig.s3()];
  await makeBucket(s3);
  const manifest = manifestOf(bundle, rig.emulator);
  await store(s3, bundle, manifest);
  for (const name of ["signature", "user_encrypted_key", "user_encrypted_iv"]) {
    await storeManifest(s3, manifest.replace(new RegExp(`<${name}[ >].*?</${name}>`), ""));
    expect([name, await codeOf(register(ec2))]).toEqual([name, "InvalidManifest"]);
  }
  await storeManifest(s3, manifest.replace(/(<user>.*<\/user>)(<type>.*<\/type>)/, "$2$1"));
  expect(await codeOf(register(ec2))).toBe("InvalidManifest");
  await storeManifest(s3, manifest.replace(/<signature>.*<\/signature>/, "<signature></signature>"));
  expect(await codeOf(register(ec2))).toBe("InternalError");
  await storeManifest(s3, "no XML");
  expect(await codeOf(register(ec2))).toBe("InvalidManifest");
  await storeManifest(s3, manifest.replace(/<signature>.*<\/signature>/, "<signature>UNSIGNED</signature>"));
  expect(await register(ec2)).toMatch(/^ami-/);
});

test("IMG-5 what does not agree with the manifest is refused", async () => {
  await using rig = await newRig();
  const [ec2, s3] = [rig.ec2(), rig.s3()];
  await makeBucket(s3);
  const manifest = manifestOf(bundle, rig.emulator);
  await store(s3, bundle, manifest);
  const { digest, sizeBytes, bundledSizeBytes } = bundle.packed;
  const wrong = [
    manifest.replace(digest, "0".repeat(40)),
    manifest.replace(`<size>${sizeBytes}</size>`, `<size>${sizeBytes + 512}</size>`),
    manifest.replace(String(bundledSizeBytes), String(bundledSizeBytes + 1)),
  ];
  for (const text of wrong) {
    expect(text).not.toBe(manifest);
    await storeManifest(s3, text);
    expect(await codeOf(register(ec2))).toBe("InvalidManifest");
  }
  await storeManifest(s3, manifest);
  const Body = Buffer.from(bundle.parts[1] ?? []);
  Body[0] = (Body[0] ?? 0) ^ 1;
  await s3.send(new PutObjectCommand({ Bucket, Key: "web/web.part.1", Body, ACL: "aws-exec-read" }));
  expect(await codeOf(register(ec2))).toBe("InvalidManifest");
});

test("IMG-6 a bundle of another account is refused", async () => {
  await using rig = await newRig();
  await makeBucket(rig.s3());
  await store(rig.s3(), bundle, manifestOf(bundle, rig.emulator, { account: "000000000001" }));
  expect(await codeOf(register(rig.ec2()))).toBe("InvalidManifest");
});

test("IMG-7 a bucket in another region is refused", async () => {
  await using rig = await newRig();
  await makeBucket(rig.s3("eu-west-1"));
  await store(rig.s3("eu-west-1"), bundle, manifestOf(bundle, rig.emulator));
  expect((await errorOf(register(rig.ec2("us-east-1")))).message).toContain("HTTP 301 (Moved Permanently)");
  expect(await register(rig.ec2("eu-west-1"))).toMatch(/^ami-/);
});

test("IMG-8 an instance ends at once when a part is gone", async () => {
  await using rig = await newRig();
  const [ec2, s3] = [rig.ec2(), rig.s3()];
  await makeBucket(s3);
  await store(s3, bundle, manifestOf(bundle, rig.emulator));
  const id = await register(ec2);
  await available(ec2, id);
  await s3.send(new DeleteObjectCommand({ Bucket, Key: "web/web.part.0" }));
  const instance = await launch(ec2, { ImageId: id });
  expect(await describe(ec2, instance)).toMatchObject({
    State: { Name: "terminated" },
    StateReason: { Code: "Server.InternalError" },
  });
  const { Output = "" } = await ec2.send(new GetConsoleOutputCommand({ InstanceId: instance }));
  expect(Buffer.from(Output, "base64").toString()).toContain("404");
});

test("IMG-10 an image that is read-only in its bundle does not start", async () => {
  await using rig = await newRig();
  const [ec2, s3] = [rig.ec2(), rig.s3()];
  await makeBucket(s3);
  const locked = toReadOnly(bundle);
  await store(s3, locked, manifestOf(locked, rig.emulator));
  const id = await register(ec2);
  await available(ec2, id);
  const instance = await launch(ec2, { ImageId: id });
  expect((await describe(ec2, instance))?.StateReason?.Code).toBe("Server.InternalError");
});

test("IMG-9 one bundle serves all three partitions", async () => {
  await using rig = await newRig();
  for (const [region, variant] of [
    ["us-east-1", "commercial"],
    ["cn-north-1", "cn-north-1"],
    ["us-gov-west-1", "gov"],
  ] as const) {
    await makeBucket(rig.s3(region));
    await store(rig.s3(region), bundle, manifestOf(bundle, rig.emulator, { variant }));
    expect(await register(rig.ec2(region))).toMatch(/^ami-/);
  }
});

test("EC2-1 an image's name is free again when it is deregistered", async () => {
  await using rig = await newRig();
  const [ec2, s3] = [rig.ec2(), rig.s3()];
  await makeBucket(s3);
  await store(s3, bundle, manifestOf(bundle, rig.emulator));
  const ImageId = await register(ec2);
  expect((await errorOf(register(ec2))).message).toBe(`AMI name web is already in use by AMI ${ImageId}`);
  expect(await codeOf(register(ec2, { Name: "a#b" }))).toBe("InvalidAMIName.Malformed");
  const add = {
    ImageId,
    LaunchPermission: { Add: [{ UserId: "000000000001" }] },
    Description: { Value: "new" },
  };
  await ec2.send(new ModifyImageAttributeCommand(add));
  const shared = await ec2.send(
    new DescribeImageAttributeCommand({ ImageId, Attribute: "launchPermission" }),
  );
  expect(shared.LaunchPermissions).toEqual([{ UserId: "000000000001" }]);
  expect((await imageOf(ec2, ImageId))?.Description).toBe("new");
  await ec2.send(new DeregisterImageCommand({ ImageId }));
  expect(await codeOf(imageOf(ec2, ImageId))).toBe("InvalidAMIID.NotFound");
  await register(ec2);
});
