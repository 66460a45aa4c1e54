import { Readable } from "node:stream";
import { crc32 } from "node:zlib";
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { expect, test } from "vitest";
import { sha256, toChunkSignature } from "../../src/emulator/signature.ts";
import { newRig, type Rig, toClientOptions } from "./rig.ts";
import { send, toSigned } from "./sign.ts";

const Bucket = "bodies";

async function newBucketRig(): Promise<Rig> {
  const rig = await newRig();
  await rig.s3().send(new CreateBucketCommand({ Bucket }));
  return rig;
}

async function keysIn(rig: Rig): Promise<readonly (string | undefined)[]> {
  const { Contents = [] } = await rig.s3().send(new ListObjectsV2Command({ Bucket }));
  return Contents.map(({ Key }) => Key);
}

function toPresigning(rig: Rig): S3Client {
  const options = { ...toClientOptions(rig.emulator), forcePathStyle: true };
  return new S3Client({ ...options, requestChecksumCalculation: "WHEN_REQUIRED" });
}

test("SIG-7 a presigned URL puts and gets, and holds for nothing but what was signed", async () => {
  await using rig = await newBucketRig();
  const client = toPresigning(rig);
  const put = await getSignedUrl(client, new PutObjectCommand({ Bucket, Key: "a b+c" }), { expiresIn: 60 });
  const get = await getSignedUrl(client, new GetObjectCommand({ Bucket, Key: "a b+c" }), { expiresIn: 60 });
  const stored = [
    await fetch(put, { method: "PUT", body: "one" }),
    await fetch(put, { method: "PUT", body: "two" }),
  ];
  expect(stored.map(({ status }) => status)).toEqual([200, 200]);
  expect(await (await fetch(get)).text()).toBe("two");

  const refusals = await Promise.all([
    fetch(get, { method: "PUT", body: "x" }),
    fetch(get.replace("a%20b%2Bc", "other")),
    fetch(get.replace("X-Amz-Expires=60", "X-Amz-Expires=600")),
    fetch(`${get}&response-content-type=text%2Fhtml`),
    fetch(get.replace(/.$/, (last) => (last === "0" ? "1" : "0"))),
  ]);
  const texts = await Promise.all(refusals.map((response) => response.text()));
  expect(refusals.map(({ status }) => status)).toEqual([403, 403, 403, 403, 403]);
  for (const text of texts) expect(text).toContain("SignatureDoesNotMatch");
});

test("SIG-7 a presigned URL that is over says so", async () => {
  await using rig = await newBucketRig();
  const signingDate = new Date(Date.now() - 120_000);
  const command = new PutObjectCommand({ Bucket, Key: "late" });
  const url = await getSignedUrl(toPresigning(rig), command, { expiresIn: 60, signingDate });
  const response = await fetch(url, { method: "PUT", body: "late" });
  const text = await response.text();
  expect([response.status, text]).toEqual([
    403,
    expect.stringContaining("<Message>Request has expired</Message>"),
  ]);
  expect(text).toContain("<Code>AccessDenied</Code>");
  expect(await keysIn(rig)).toEqual([]);
});

test("SIG-8 a body other than the one signed is refused and not stored", async () => {
  await using rig = await newBucketRig();
  const signing = { service: "s3", method: "PUT", path: `/${Bucket}/key` } as const;
  const signed = toSigned(rig.emulator, { ...signing, body: "signed" });
  expect((await send({ ...signed, init: { ...signed.init, body: "forged" } })).code).toBe(
    "XAmzContentSHA256Mismatch",
  );
  const form = { "content-type": "application/x-www-form-urlencoded" };
  const call = toSigned(rig.emulator, { service: "ec2", body: "Action=DescribeRegions", headers: form });
  expect((await send({ ...call, init: { ...call.init, body: "Action=DescribeVpcs" } })).code).toBe(
    "AuthFailure",
  );
  expect(await keysIn(rig)).toEqual([]);
});

test("SIG-9 a stream from the SDK, in chunks with a trailing checksum, is stored as it was", async () => {
  await using rig = await newBucketRig();
  const bytes = Buffer.alloc(300_000, "0123456789abcdef\r\n");
  const Body = Readable.from([bytes.subarray(0, 1), bytes.subarray(1, 200_000), bytes.subarray(200_000)]);
  await rig.s3().send(new PutObjectCommand({ Bucket, Key: "stream", Body, ContentLength: bytes.length }));
  const { Body: found, ContentEncoding } = await rig
    .s3()
    .send(new GetObjectCommand({ Bucket, Key: "stream" }));
  expect(Buffer.from((await found?.transformToByteArray()) ?? []).equals(bytes)).toBe(true);
  expect(ContentEncoding).toBeUndefined();
});

test("SIG-9 a trailing checksum that does not fit is refused", async () => {
  await using rig = await newBucketRig();
  expect(await send(toTrailing(rig, "hello", toCrc("hello")))).toMatchObject({ status: 200 });
  expect((await send(toTrailing(rig, "hello", toCrc("hullo")))).code).toBe("BadDigest");
});

function toTrailing(rig: Rig, text: string, checksum: string): ReturnType<typeof toSigned> {
  return toSigned(rig.emulator, {
    service: "s3",
    method: "PUT",
    path: `/${Bucket}/trailing`,
    payload: "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    headers: { "x-amz-decoded-content-length": String(text.length), "x-amz-trailer": "x-amz-checksum-crc32" },
    body: `${text.length.toString(16)}\r\n${text}\r\n0\r\nx-amz-checksum-crc32:${checksum}\r\n\r\n`,
  });
}

function toCrc(text: string): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(text));
  return bytes.toString("base64");
}

test("SIG-9 every signed chunk is checked, the last one too", async () => {
  await using rig = await newBucketRig();
  expect((await send(toSignedChunks(rig, ["first ", "second"], "right"))).status).toBe(200);
  expect((await send(toSignedChunks(rig, ["first ", "second"], "second"))).code).toBe(
    "SignatureDoesNotMatch",
  );
  expect((await send(toSignedChunks(rig, ["first ", "second"], "last"))).code).toBe("SignatureDoesNotMatch");
});

/** `forged` names what is signed wrongly. */
function toSignedChunks(rig: Rig, chunks: readonly string[], forged: string): ReturnType<typeof toSigned> {
  const signed = toSigned(rig.emulator, {
    service: "s3",
    method: "PUT",
    path: `/${Bucket}/chunks`,
    payload: "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
    headers: { "x-amz-decoded-content-length": String(chunks.join("").length) },
    body: "",
  });
  const scope = { date: signed.amzDate.slice(0, 8), region: "us-east-1", service: "s3" };
  let previous = signed.signature;
  const body = [...chunks, ""].map((data) => {
    const isForged = data === forged || (data === "" && forged === "last");
    const hash = sha256(isForged ? "forged" : data);
    previous = toChunkSignature(signed.key, {
      scope,
      amzDate: signed.amzDate,
      previous,
      hash,
      trailer: false,
    });
    return `${data.length.toString(16)};chunk-signature=${previous}\r\n${data}\r\n`;
  });
  return { ...signed, init: { ...signed.init, body: body.join("") } };
}
