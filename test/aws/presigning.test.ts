import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import type { PresignedPut, Provider } from "../../src/aws/provider.ts";
import { toCloud } from "../../src/aws/sdk-cloud.ts";
import { newRig } from "../emulator/rig.ts";

const where = { bucket: "acme-images", key: "web/1/image.part.0000" };
const bytes = Buffer.from("hello");
const sha1 = createHash("sha1").update(bytes).digest("hex");
const body = { sizeBytes: 5, sha1, contentType: "application/octet-stream", acl: "aws-exec-read" };

test("a presigned URL stores the bytes that it was signed for, with their checksum", async () => {
  await using rig = await newRig();
  const provider = await newProvider(rig.emulator.cloud);
  const put = await provider.presignPut(where, body, 60, toSignal());
  expect(await send(put, bytes)).toBe(200);
  expect(await provider.headObject(where, toSignal())).toEqual({ sizeBytes: 5, sha1 });
});

test("a presigned URL takes no other bytes, length, key, ACL or checksum", async () => {
  await using rig = await newRig();
  const provider = await newProvider(rig.emulator.cloud);
  const put = await provider.presignPut(where, body, 60, toSignal());
  expect(await send(put, Buffer.from("jello"))).toBe(400);
  expect(await send(put, Buffer.from("hello, you"))).toBe(403);
  expect(await send({ ...put, url: put.url.replace("part.0000", "part.0001") }, bytes)).toBe(403);
  const others = [{ "x-amz-acl": "public-read" }, { "x-amz-checksum-sha1": "AAAAAAAAAAAAAAAAAAAAAAAAAAA=" }];
  for (const headers of others) {
    expect(await send({ ...put, headers: { ...put.headers, ...headers } }, bytes)).toBe(403);
  }
  const { "x-amz-acl": _, ...without } = put.headers;
  expect(await send({ ...put, headers: without }, bytes)).toBe(403);
  expect(await provider.headObject(where, toSignal())).toBeNull();
});

test("a presigned URL for a bucket at AWS names its host, in every partition", async () => {
  const credentials = { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "secret" };
  const hosts = ["us-east-1", "us-gov-west-1", "cn-north-1"].map(async (region) => {
    const provider = toCloud({ credentials }).account({ region });
    return new URL((await provider.presignPut(where, body, 60, toSignal())).url).host;
  });
  expect(await Promise.all(hosts)).toEqual([
    "acme-images.s3.us-east-1.amazonaws.com",
    "acme-images.s3.us-gov-west-1.amazonaws.com",
    "acme-images.s3.cn-north-1.amazonaws.com.cn",
  ]);
});

async function newProvider(cloud: Parameters<typeof toCloud>[0]): Promise<Provider> {
  const provider = toCloud(cloud).account({ region: "us-east-1" });
  await provider.createBucket(where.bucket, toSignal());
  return provider;
}

async function send({ url, headers }: PresignedPut, content: Buffer): Promise<number> {
  const answer = await fetch(url, { method: "PUT", body: content, headers });
  await answer.text();
  return answer.status;
}

function toSignal(): AbortSignal {
  return AbortSignal.timeout(10_000);
}
