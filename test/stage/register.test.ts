import { expect, test } from "vitest";
import type { Image, Provider, RegisterRequest } from "../../src/aws/provider.ts";
import { Problem } from "../../src/problem.ts";
import { type RegisterInput, register } from "../../src/stage/register.ts";
import type { UploadedBundle } from "../../src/stage/upload.ts";
import { newSpooled } from "../help/stage-bundle.ts";
import { account, toChecked, toImage } from "../help/stage-inputs.ts";
import { newProvider, newStageRig, type StageRig } from "../help/stage-rig.ts";

const right = toImage({
  id: "ami-new",
  name: "web 1",
  location: "acme-images/web/1/image.manifest.xml",
  kernel: "aki-919dcaf8",
});

test("the image carries the run's tag, is read back, and becomes the product", async () => {
  const asked: RegisterRequest[] = [];
  await using rig = await newRig(right, asked);
  expect(await rig.stage(register, await toInput(rig))).toMatchObject({ imageId: "ami-new" });
  expect(asked).toMatchObject([{ name: "web 1", tags: { team: "web", "imgspec:run": rig.run.id } }]);
  expect(rig.changes.map(({ change, kind }) => `${change} ${kind}`)).toEqual([
    "acquired ec2.image",
    "kept ec2.image",
  ]);
});

test("an image that is not what was asked for is told field by field, and is given back", async () => {
  const wrong: Partial<Image> = {
    architecture: "i386",
    virtualization: "hvm",
    kernel: null,
    rootDeviceType: "ebs",
  };
  await using rig = await newRig({ ...right, ...wrong });
  await expect(rig.stage(register, await toInput(rig))).rejects.toMatchObject({
    code: "image-mismatch",
    message:
      'ami-new is not what was registered: architecture is "i386" instead of "x86_64", virtualization is "hvm" instead of "paravirtual", kernel is not set instead of "aki-919dcaf8", its root device type is ebs',
  });
  await rig.giveBack();
  expect(rig.changes.map(({ change }) => change)).toEqual(["acquired", "released"]);
});

test("what instances may have is as for the source, unless the spec says otherwise or it is paravirtual", async () => {
  const asked: RegisterRequest[] = [];
  const seen = { ...right, virtualization: "hvm" };
  await using rig = await newRig(seen, asked);
  const input = await toInput(rig);
  const source = { enaSupport: true, sriovNetSupport: "simple", imdsSupport: "v2.0" };
  const hvm = {
    ...input,
    bundle: { ...input.bundle, virtualization: "hvm", kernel: null },
    checked: { source },
  };
  await rig.stage(register, hvm);
  await rig.stage(register, {
    ...hvm,
    enaSupport: false,
    sriovNetSupport: "none",
    metadataTokens: "optional",
  });
  await expect(rig.stage(register, { ...input, checked: { source } })).rejects.toThrow("virtualization is");
  expect(asked).toMatchObject([
    { enaSupport: true, sriovNetSupport: true, imdsV2: true },
    { enaSupport: false, sriovNetSupport: false, imdsV2: false },
    { enaSupport: false, sriovNetSupport: false, imdsV2: true },
  ]);
});

test("an image that fails says why EC2 says it did", async () => {
  await using rig = await newRig({ ...right, state: "failed", stateReason: "HTTP 403 on part 3" });
  await expect(rig.stage(register, await toInput(rig))).rejects.toMatchObject({
    code: "manifest-refused",
    message: "image ami-new became failed: HTTP 403 on part 3",
  });
});

test("a pending image is waited for", async () => {
  const states = ["pending", "pending", "available"];
  const findImages = () => Promise.resolve([{ ...right, state: states.shift() ?? "" }]);
  await using rig = await newStageRig(toProvider(right, { findImages }));
  expect(await rig.stage(register, await toInput(rig))).toMatchObject({ imageId: "ami-new" });
  expect(states).toEqual([]);
});

test("a bundle closed for another region's key is told so when EC2 cannot open it", async () => {
  const refused = new Problem("manifest-refused", "EC2 cannot decrypt the manifest");
  const registerImage = () => Promise.reject(refused);
  await using rig = await newStageRig(toProvider(right, { registerImage }));
  const input = await toInput(rig);
  await expect(rig.stage(register, input)).rejects.toBe(refused);
  const mistaken = { ...input, bundle: { ...input.bundle, ec2Key: "gov" } };
  await expect(rig.stage(register, mistaken)).rejects.toMatchObject({
    code: "manifest-refused",
    message:
      "EC2 in us-east-1 cannot open the bundle: its key is wrapped for gov, and us-east-1 holds the commercial key (EC2 cannot decrypt the manifest)",
    hint: "leave certificate.ec2 out, or set it to commercial, for us-east-1",
  });
});

function newRig(seen: Image, asked: RegisterRequest[] = []): Promise<StageRig> {
  const registerImage = (request: RegisterRequest) => {
    asked.push(request);
    return Promise.resolve({ id: seen.id });
  };
  return newStageRig(toProvider(seen, { registerImage }));
}

function toProvider(seen: Image, answers: Partial<Provider>): Provider {
  return newProvider({
    registerImage: () => Promise.resolve({ id: seen.id }),
    findImages: () => Promise.resolve([seen]),
    deregisterImage: () => Promise.resolve(),
    ...answers,
  });
}

async function toInput(rig: StageRig): Promise<RegisterInput> {
  const uploaded: UploadedBundle = {
    account,
    bucket: "acme-images",
    parts: [],
    manifest: { key: "web/1/image.manifest.xml", sizeBytes: 11, sha1: "0" },
    location: right.location,
  };
  return {
    bundle: await newSpooled(rig.run.directory, 1),
    verified: { ...uploaded, verified: true },
    name: "web 1",
    description: null,
    tags: { team: "web" },
    regionalKey: "commercial",
    enaSupport: null,
    sriovNetSupport: null,
    metadataTokens: null,
    checked: toChecked(toImage()),
    products: [`us-east-1/${register.kind}`],
  };
}
