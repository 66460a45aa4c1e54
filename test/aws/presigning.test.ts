import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { defaultPatience } from "../../src/aws/patience.ts";
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

test("a presigned URL is dated by S3's clock, once an answer has shown that ours is wrong", async () => {
  const aheadMs = 3_600_000;
  const server = createServer((_, response) => {
    response.setHeader("date", new Date(Date.now() + aheadMs).toUTCString());
    response.writeHead(403, { "content-type": "application/xml" });
    response.end("<Error><Code>RequestTimeTooSkewed</Code><Message>too large</Message></Error>");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const endpointUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const cloud = {
    endpointUrl,
    credentials: { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "secret" },
  };
  const provider = toCloud(cloud, { ...defaultPatience, attempts: 2 }).account({ region: "us-east-1" });
  const reading = async (): Promise<void> => void (await provider.getObject(where, toSignal()));
  await expect(reading()).rejects.toThrow();
  const { url } = await provider.presignPut(where, body, 60, toSignal());
  const date = new URL(url).searchParams.get("X-Amz-Date") ?? "";
  const dated = Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));
  expect(Math.abs(dated - Date.now() - aheadMs)).toBeLessThan(10_000);
  server.close();
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
