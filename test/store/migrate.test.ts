import { afterAll, beforeAll, expect, test } from "vitest";
import type { Cloud } from "../../src/aws/cloud.ts";
import type { Fate } from "../../src/bundle/migrate-manifest.ts";
import { openBundleInS3 } from "../../src/store/bundle-in-s3.ts";
import { type Migrated, migrateBundle } from "../../src/store/migrate-bundle.ts";
import { uploadBundle } from "../../src/store/upload-bundle.ts";
import type { CertificateVariant } from "../../src/util/region.ts";
import { userPrivateKey } from "../bundle/golden.ts";
import { createBucket, startEmulatedCloud } from "../help/clouds.ts";
import {
  acl,
  aclsOf,
  concurrency,
  type Files,
  hasty,
  newBucketName,
  newFiles,
  region,
  signal,
} from "./rig.ts";

let testCloud: Awaited<ReturnType<typeof startEmulatedCloud>>;
let cloud: Cloud;
let files: Files;
let source: string;

beforeAll(async () => {
  testCloud = await startEmulatedCloud();
  cloud = hasty(testCloud);
  const ec2Key = testCloud.options.ec2Certificates?.commercial ?? "";
  files = await newFiles({ account: testCloud.emulator.accountId, ec2Key, kernel: "aki-12345678" });
  source = newBucketName();
  await createBucket(testCloud, source, region);
  await uploadBundle(cloud, {
    place: { bucket: source, prefix: "web" },
    manifestPath: files.manifestPath,
    acl,
    concurrency,
    signal,
    region,
  });
});
afterAll(async () => {
  await files[Symbol.asyncDispose]();
  await testCloud[Symbol.asyncDispose]();
});

test.each([
  { to: "eu-west-1", variant: "commercial", copies: 2 },
  { to: "us-gov-west-1", variant: "gov", copies: 0 },
  { to: "cn-north-1", variant: "cn-north-1", copies: 0 },
] as const)(
  "a bundle registers in $to once it is migrated, parts and key",
  async ({ to, variant, copies }) => {
    const before = testCloud.emulator.calls("CopyObject");
    const { bucket, location, ...rest } = await migrate(to, variant, { createBucket: true });
    expect(rest).toEqual({ region: to, copied: 2, alreadyThere: 0 });
    expect(testCloud.emulator.calls("CopyObject") - before).toBe(copies);
    const grants = ["FULL_CONTROL", "READ"];
    expect(await aclsOf(testCloud, bucket, to)).toEqual({
      "copy/web.manifest.xml": grants,
      "copy/web.part.0": grants,
      "copy/web.part.1": grants,
    });
    expect(await register(to, location)).toMatch(/^ami-/);
  },
);

test("parts alone do not register elsewhere: the key is for another EC2", async () => {
  const bucket = newBucketName();
  await createBucket(testCloud, bucket, "us-gov-west-1");
  const place = { bucket, prefix: "" };
  const { manifestPath } = files;
  await uploadBundle(cloud, { place, manifestPath, acl, concurrency, signal, region: "us-gov-west-1" });
  await expect(register("us-gov-west-1", `${bucket}/web.manifest.xml`)).rejects.toMatchObject({
    code: "manifest-refused",
  });
});

test("what was copied before an interruption is not copied again", async () => {
  const bucket = newBucketName();
  await createBucket(testCloud, bucket, "eu-west-1");
  testCloud.emulator.fail("CopyObject", "InternalError", { times: 4, region: "eu-west-1" });
  await expect(migrate("eu-west-1", "commercial", { bucket })).rejects.toMatchObject({ code: "aws-fault" });
  expect(Object.keys(await aclsOf(testCloud, bucket, "eu-west-1"))).not.toContain("copy/web.manifest.xml");
  await migrate("eu-west-1", "commercial", { bucket });
  await expect(migrate("eu-west-1", "commercial", { bucket })).rejects.toMatchObject({
    code: "bucket-unusable",
    message: `there is a bundle at s3://${bucket}/copy/web.manifest.xml already`,
  });
  expect(await migrate("eu-west-1", "commercial", { bucket, replace: true })).toMatchObject({
    copied: 0,
    alreadyThere: 2,
  });
});

test("where S3 may not copy by itself, the parts come through this machine", async () => {
  testCloud.emulator.fail("CopyObject", "AccessDenied", { times: 2, region: "eu-west-1" });
  const migrated = await migrate("eu-west-1", "commercial", { createBucket: true });
  expect(await register("eu-west-1", migrated.location)).toMatch(/^ami-/);
});

test("an answer that is cut while a part is on its way is asked for again", async () => {
  testCloud.emulator.fail("GetObject", "cut", { times: 2, region });
  const migrated = await migrate("cn-north-1", "cn-north-1", { createBucket: true });
  expect(await register("cn-north-1", migrated.location)).toMatch(/^ami-/);
});

test("a kernel is of one region: nothing is copied before somebody says what becomes of it", async () => {
  const bucket = newBucketName();
  await expect(migrate("eu-west-1", "commercial", { bucket, kernel: undefined })).rejects.toMatchObject({
    code: "usage-wrong",
    hint: expect.stringContaining("--kernel drop"),
  });
  const { manifest } = await openMigrated({ id: "aki-87654321" });
  expect(manifest.machine?.kernel).toBe("aki-87654321");
});

test("the account that calls must be the one that the manifest names", async () => {
  await expect(
    migrate("eu-west-1", "commercial", { createBucket: true, account: "210987654321" }),
  ).rejects.toMatchObject({
    code: "usage-wrong",
    hint: `for that account, say --user ${testCloud.emulator.accountId}`,
  });
});

test("a bundle does not take its own place", async () => {
  await expect(migrate("us-east-1", "commercial", { bucket: source, prefix: "web" })).rejects.toMatchObject({
    code: "usage-wrong",
    message: "the bundle would take its own place",
  });
});

type Options = {
  readonly bucket?: string;
  readonly prefix?: string;
  readonly createBucket?: boolean;
  readonly replace?: boolean;
  readonly kernel?: Fate | undefined;
  readonly account?: string;
};

async function migrate(to: string, variant: CertificateVariant, options: Options): Promise<Migrated> {
  const { bucket = newBucketName(), prefix = "copy", createBucket = false, replace, account } = options;
  const bundle = await openBundleInS3(cloud, `s3://${source}/web/web.manifest.xml`, { region, signal });
  return migrateBundle(cloud, bundle, {
    privateKey: userPrivateKey,
    ec2Key: testCloud.options.ec2Certificates?.[variant] ?? "",
    kernel: "kernel" in options ? options.kernel : "drop",
    account,
    place: { bucket, prefix },
    target: { region: to, acl, createBucket },
    replace,
    concurrency,
    signal,
  });
}

async function openMigrated(kernel: Fate): Promise<Awaited<ReturnType<typeof openBundleInS3>>> {
  const { location } = await migrate("eu-west-1", "commercial", { createBucket: true, kernel });
  return openBundleInS3(cloud, `s3://${location}`, { region: "eu-west-1", signal });
}

async function register(to: string, location: string): Promise<string> {
  const { id } = await cloud.account({ region: to }).registerImage(
    {
      name: location.replaceAll("/", " ").slice(0, 100),
      description: null,
      location,
      architecture: "x86_64",
      virtualization: "hvm",
      kernel: null,
      ramdisk: null,
      blockDeviceMappings: [],
      tags: {},
    },
    signal,
  );
  return id;
}
