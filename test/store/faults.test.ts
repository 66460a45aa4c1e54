import { readdir } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { CreateBucketCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Cloud } from "../../src/aws/cloud.ts";
import { Problem } from "../../src/problem.ts";
import { downloadBundle } from "../../src/store/download-bundle.ts";
import { manifestType, sha1Of } from "../../src/store/put-file.ts";
import { type Uploaded, uploadBundle } from "../../src/store/upload-bundle.ts";
import { createBucket, startEmulatedCloud } from "../help/clouds.ts";
import {
  acl,
  clientOf,
  concurrency,
  type Files,
  hasty,
  newBucketName,
  newDirectory,
  newFiles,
  region,
  signal,
} from "./rig.ts";

let testCloud: Awaited<ReturnType<typeof startEmulatedCloud>>;
let cloud: Cloud;
let files: Files;

beforeAll(async () => {
  testCloud = await startEmulatedCloud();
  cloud = hasty(testCloud);
  files = await newFiles();
});
afterAll(async () => {
  await files[Symbol.asyncDispose]();
  await testCloud[Symbol.asyncDispose]();
});

test.each(["cut", "cut-after", "500", "SlowDown"])(
  "a part that meets %s is sent again, and the bundle is whole",
  async (fault) => {
    const bucket = await newBucket();
    testCloud.emulator.fail("PutObject", fault);
    expect(await upload(bucket)).toMatchObject({ uploaded: 3, alreadyThere: 0 });
    expect(objectsOf(bucket)).toEqual(["web.manifest.xml", "web.part.0", "web.part.1"]);
  },
);

test("when S3 stays broken there is no manifest, and the next upload goes on from there", async () => {
  const bucket = await newBucket();
  testCloud.emulator.fail("PutObject", "slow:0");
  testCloud.emulator.fail("PutObject", "500", { times: 2 });
  await expect(upload(bucket, { concurrency: 1 })).rejects.toMatchObject({ code: "aws-fault" });
  expect(objectsOf(bucket)).toEqual(["web.part.0"]);
  expect(await upload(bucket)).toMatchObject({ uploaded: 2, alreadyThere: 1 });
});

test("who may not put objects is told so, by the permission's name", async () => {
  const bucket = await newBucket();
  testCloud.emulator.deny("s3:PutObjectAcl");
  const outcome = await upload(bucket).catch((error: unknown) => error);
  testCloud.emulator.allow("s3:PutObjectAcl");
  expect(outcome).toMatchObject({
    code: "permission-denied",
    message: expect.stringContaining("s3:PutObjectAcl"),
  });
  expect(objectsOf(bucket)).toEqual([]);
});

test("a bucket with its ACLs switched off is refused before anything is sent", async () => {
  const bucket = newBucketName();
  await clientOf(testCloud).send(new CreateBucketCommand({ Bucket: bucket }));
  const before = testCloud.emulator.calls("PutObject");
  await expect(upload(bucket)).rejects.toMatchObject({
    code: "bucket-unusable",
    hint: expect.stringContaining("put-bucket-ownership-controls"),
  });
  expect(testCloud.emulator.calls("PutObject")).toBe(before);
});

test("the reason of a stop is what an upload ends with", async () => {
  const bucket = await newBucket();
  const stop = new AbortController();
  const reason = new Problem("interrupted", "stopped by SIGINT");
  const { emulator } = testCloud;
  emulator.fail("PutObject", "slow:30000");
  const before = emulator.calls("PutObject");
  const going = expect(upload(bucket, { concurrency: 1, signal: stop.signal })).rejects.toBe(reason);
  while (emulator.calls("PutObject") === before) await sleep(5);
  stop.abort(reason);
  await going;
  expect(objectsOf(bucket)).not.toContain("web.manifest.xml");
});

test("a part whose answer is cut is fetched again", async () => {
  const bucket = await newBucket();
  await upload(bucket);
  await using target = await newDirectory();
  testCloud.emulator.fail("GetObject", "cut", { times: 3 });
  expect(await download(bucket, target.path)).toMatchObject({ downloaded: 2, alreadyThere: 0 });
});

test("a part that is not what the manifest says leaves no file of its name", async () => {
  const bucket = await newBucket();
  await upload(bucket);
  const other = Buffer.from("other");
  const body = {
    bytes: other,
    sha1: "d0941e68da8f38151ff86a61fc59f7c5cf9fcaa2",
    contentType: "text/plain",
    acl,
  };
  const provider = cloud.account({ region });
  await provider.putObject({ bucket, key: "web.part.1" }, body, signal);
  await using target = await newDirectory();
  await expect(download(bucket, target.path, 1)).rejects.toMatchObject({
    code: "bundle-invalid",
    message: expect.stringContaining("part 1 (web.part.1) has SHA-1 d0941e68"),
  });
  expect(await readdir(target.path)).toEqual(["web.part.0"]);
  await provider.deleteObject({ bucket, key: "web.part.1" }, signal);
  await expect(download(bucket, target.path)).rejects.toMatchObject({
    code: "bundle-invalid",
    message: "part 1 (web.part.1) is missing",
  });
});

test("who may only get objects gets a bundle", async () => {
  const bucket = await newBucket();
  await upload(bucket);
  await using target = await newDirectory();
  const denied = ["s3:ListBucket", "s3:GetBucketLocation", "s3:GetBucketOwnershipControls", "s3:PutObject"];
  for (const action of denied) testCloud.emulator.deny(action);
  const outcome = await download(bucket, target.path).catch((error: unknown) => error);
  for (const action of denied) testCloud.emulator.allow(action);
  expect(outcome).toMatchObject({ downloaded: 2 });
});

test("a manifest that calls a part like a file of the user's makes nobody write it", async () => {
  const bucket = await newBucket();
  const bytes = Buffer.from(files.xml.replace("web.part.1", ".bashrc"));
  const body = { bytes, sha1: sha1Of(bytes), contentType: manifestType, acl };
  await cloud.account({ region }).putObject({ bucket, key: "web.manifest.xml" }, body, signal);
  await using target = await newDirectory();
  await expect(download(bucket, target.path)).rejects.toMatchObject({
    code: "bundle-invalid",
    message: "part 1 is called .bashrc, which is no name of a part",
  });
  expect(await readdir(target.path)).toEqual([]);
});

test("a manifest that is not there is told by its URL", async () => {
  const bucket = await newBucket();
  await using target = await newDirectory();
  await expect(download(bucket, target.path)).rejects.toMatchObject({
    code: "file-unreadable",
    message: `there is no s3://${bucket}/web.manifest.xml`,
  });
});

async function newBucket(): Promise<string> {
  const name = newBucketName();
  await createBucket(testCloud, name, region);
  return name;
}

function upload(bucket: string, more: Partial<Parameters<typeof uploadBundle>[1]> = {}): Promise<Uploaded> {
  const place = { bucket, prefix: "" };
  const { manifestPath } = files;
  return uploadBundle(cloud, { place, manifestPath, acl, concurrency, signal, region, ...more });
}

function download(bucket: string, directory: string, atOnce = concurrency): Promise<unknown> {
  const place = { bucket, prefix: "" };
  const fileName = "web.manifest.xml";
  return downloadBundle(cloud, { place, fileName, directory, concurrency: atOnce, signal, region });
}

function objectsOf(bucket: string): readonly string[] {
  return testCloud.emulator
    .left()
    .objects.filter((name) => name.startsWith(`${bucket}/`))
    .map((name) => name.slice(bucket.length + 1));
}
