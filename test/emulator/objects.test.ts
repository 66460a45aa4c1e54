import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import {
  CopyObjectCommand,
  CreateBucketCommand,
  GetObjectAclCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { expect, test } from "vitest";
import { codeOf, errorOf, newRig, type Rig } from "./rig.ts";

const Bucket = "objects";

async function newBucketRig(): Promise<Rig> {
  const rig = await newRig();
  await rig.s3().send(new CreateBucketCommand({ Bucket, ObjectOwnership: "ObjectWriter" }));
  return rig;
}

test("S3-6 a digest that does not fit is refused and leaves nothing", async () => {
  await using rig = await newBucketRig();
  const s3 = rig.s3();
  const other = (algorithm: string): string => createHash(algorithm).update("other").digest("base64");
  const wrong = [
    { ContentMD5: other("md5") },
    { ChecksumCRC32: "AAAAAA==" },
    { ChecksumCRC32C: "AAAAAA==" },
    { ChecksumSHA1: other("sha1") },
    { ChecksumSHA256: other("sha256") },
  ];
  for (const digest of wrong) {
    expect(await codeOf(s3.send(new PutObjectCommand({ Bucket, Key: "k", Body: "bytes", ...digest })))).toBe(
      "BadDigest",
    );
  }
  expect((await s3.send(new ListObjectsV2Command({ Bucket }))).KeyCount).toBe(0);
  expect(readdirSync(join(rig.directory, "s3", "incoming"))).toEqual([]);
});

test("S3-7 a checksum is kept, and told to who asks for it", async () => {
  await using rig = await newBucketRig();
  const s3 = rig.s3();
  const sha1 = createHash("sha1").update("bytes").digest("base64");
  await s3.send(new PutObjectCommand({ Bucket, Key: "k", Body: "bytes", ChecksumSHA1: sha1 }));
  const asked = await s3.send(new HeadObjectCommand({ Bucket, Key: "k", ChecksumMode: "ENABLED" }));
  expect([asked.ChecksumSHA1, asked.ContentLength]).toEqual([sha1, 5]);
  expect((await s3.send(new HeadObjectCommand({ Bucket, Key: "k" }))).ChecksumSHA1).toBeUndefined();
  // CRC-32C of this text is the check value that everybody gives (RFC 3720 and its catalogues).
  const Body = "123456789";
  const { ChecksumCRC32C } = await s3.send(
    new PutObjectCommand({ Bucket, Key: "c", Body, ChecksumAlgorithm: "CRC32C" }),
  );
  expect(Buffer.from(ChecksumCRC32C ?? "", "base64").toString("hex")).toBe("e3069283");
});

test("S3-8 a range is just these bytes", async () => {
  await using rig = await newBucketRig();
  const s3 = rig.s3();
  await s3.send(new PutObjectCommand({ Bucket, Key: "k", Body: "0123456789" }));
  const get = async (Range: string): Promise<unknown> => {
    const { Body, ContentRange, $metadata } = await s3.send(
      new GetObjectCommand({ Bucket, Key: "k", Range }),
    );
    return [$metadata.httpStatusCode, ContentRange, await Body?.transformToString()];
  };
  expect(await get("bytes=2-4")).toEqual([206, "bytes 2-4/10", "234"]);
  expect(await get("bytes=7-")).toEqual([206, "bytes 7-9/10", "789"]);
  expect(await get("bytes=-2")).toEqual([206, "bytes 8-9/10", "89"]);
  expect(await get("bytes=5-99")).toEqual([206, "bytes 5-9/10", "56789"]);
  expect(await codeOf(get("bytes=10-12"))).toBe("InvalidRange");
});

test("S3-9 conditions on ETags are kept", async () => {
  await using rig = await newBucketRig();
  const s3 = rig.s3();
  const { ETag } = await s3.send(new PutObjectCommand({ Bucket, Key: "k", Body: "one" }));
  expect(ETag).toBe(`"${createHash("md5").update("one").digest("hex")}"`);
  const same = await errorOf(s3.send(new GetObjectCommand({ Bucket, Key: "k", IfNoneMatch: ETag })));
  expect(same.$metadata?.httpStatusCode).toBe(304);
  expect(await codeOf(s3.send(new GetObjectCommand({ Bucket, Key: "k", IfMatch: '"other"' })))).toBe(
    "PreconditionFailed",
  );
  const spare = new PutObjectCommand({ Bucket, Key: "k", Body: "two", IfNoneMatch: "*" });
  expect(await codeOf(s3.send(spare))).toBe("PreconditionFailed");
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: "k", IfMatch: ETag }));
  expect(await Body?.transformToString()).toBe("one");
});

test("S3-10 a listing is in order, in pages, and rolled up", async () => {
  await using rig = await newBucketRig();
  const s3 = rig.s3();
  for (const Key of ["b/2", "a", "b/1", "c/x", "é", "z", "b.txt"]) {
    await s3.send(new PutObjectCommand({ Bucket, Key, Body: "x" }));
  }
  const list = async (options: object): Promise<unknown> => {
    const found: string[] = [];
    let ContinuationToken: string | undefined;
    do {
      const page = await s3.send(
        new ListObjectsV2Command({ Bucket, MaxKeys: 2, ContinuationToken, ...options }),
      );
      expect(page.KeyCount).toBeLessThanOrEqual(2);
      const names = [
        ...(page.Contents ?? []).map(({ Key }) => Key),
        ...(page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix),
      ];
      found.push(...names.flatMap((name) => name ?? []));
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken !== undefined);
    return found;
  };
  expect(await list({})).toEqual(["a", "b.txt", "b/1", "b/2", "c/x", "z", "é"]);
  expect(await list({ Delimiter: "/" })).toEqual(["a", "b.txt", "b/", "c/", "z", "é"]);
  expect(await list({ Prefix: "b/" })).toEqual(["b/1", "b/2"]);
  expect(await list({ StartAfter: "b/1", EncodingType: "url" })).toEqual(["b/2", "c/x", "z", "%C3%A9"]);
});

test("S3-11 a key may hold anything and never leads out of the state directory", async () => {
  await using rig = await newBucketRig();
  const s3 = rig.s3();
  const keys = ["../../../escape", "a//b", "/lead", "sp ace+plus%20&?#", "ünï/日本", "x'\"<>", "trail/"];
  for (const Key of keys) await s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
  for (const Key of keys) {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
    expect(await Body?.transformToString()).toBe(Key);
  }
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket }));
  expect(Contents.map(({ Key }) => Key).sort()).toEqual([...keys].sort());
  expect(readdirSync(rig.directory).sort()).toEqual(["identity.json", "s3"]);
  const long = new PutObjectCommand({ Bucket, Key: "k".repeat(1025), Body: "x" });
  expect(await codeOf(s3.send(long))).toBe("KeyTooLongError");
});

test("S3-14 a copy is of bytes and headers, not of the ACL", async () => {
  await using rig = await newBucketRig();
  const s3 = rig.s3();
  const put = { Bucket, Key: "source ü", Body: "bytes", ContentType: "text/x-part", Metadata: { run: "r1" } };
  await s3.send(new PutObjectCommand({ ...put, ACL: "aws-exec-read" }));
  const CopySource = `${Bucket}/${encodeURIComponent("source ü")}`;
  await s3.send(new CopyObjectCommand({ Bucket, Key: "copy", CopySource }));
  const copy = await s3.send(new GetObjectCommand({ Bucket, Key: "copy" }));
  expect([copy.ContentType, copy.Metadata, await copy.Body?.transformToString()]).toEqual([
    "text/x-part",
    { run: "r1" },
    "bytes",
  ]);
  const { Grants } = await s3.send(new GetObjectAclCommand({ Bucket, Key: "copy" }));
  expect(Grants?.map(({ Permission }) => Permission)).toEqual(["FULL_CONTROL"]);
  expect(
    await codeOf(s3.send(new CopyObjectCommand({ Bucket, Key: "c", CopySource: `${Bucket}/none` }))),
  ).toBe("NoSuchKey");
});

test("S3-14 a copy comes from another region too, with the checksum that is asked for", async () => {
  await using rig = await newBucketRig();
  await rig.s3().send(new PutObjectCommand({ Bucket, Key: "k", Body: "bytes" }));
  const far = rig.s3("eu-west-1");
  await far.send(
    new CreateBucketCommand({
      Bucket: "far",
      CreateBucketConfiguration: { LocationConstraint: "eu-west-1" },
    }),
  );
  const copy = { Bucket: "far", Key: "copy", CopySource: `${Bucket}/k` };
  const { CopyObjectResult } = await far.send(new CopyObjectCommand({ ...copy, ChecksumAlgorithm: "SHA1" }));
  const sha1 = createHash("sha1").update("bytes").digest("base64");
  const head = await far.send(new HeadObjectCommand({ Bucket: "far", Key: "copy", ChecksumMode: "ENABLED" }));
  expect([CopyObjectResult?.ChecksumSHA1, head.ChecksumSHA1]).toEqual([sha1, sha1]);
  expect(await codeOf(far.send(new CopyObjectCommand({ ...copy, CopySource: "none/k" })))).toBe(
    "NoSuchBucket",
  );
});
