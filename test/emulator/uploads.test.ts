import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  type S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { expect, test } from "vitest";
import { codeOf, newRig } from "./rig.ts";

const Bucket = "uploads";
const Key = "in/parts";
const big = Buffer.alloc(5 * 1024 * 1024, "b");
const small = Buffer.from("small");

test("S3-12 parts become one object", async () => {
  await using rig = await newRig();
  const s3 = rig.s3();
  await s3.send(new CreateBucketCommand({ Bucket }));
  const upload = await begin(s3);
  // The second part first: only their numbers count.
  const last = await upload.part(7, small);
  const first = await upload.part(2, big);
  const parts = await s3.send(new ListPartsCommand({ Bucket, Key, UploadId: upload.id }));
  expect(parts.Parts?.map(({ PartNumber, Size }) => [PartNumber, Size])).toEqual([
    [2, big.length],
    [7, small.length],
  ]);
  const done = await upload.complete([first, last]);
  const md5s = [big, small].map((bytes) => createHash("md5").update(bytes).digest());
  expect(done.ETag).toBe(`"${createHash("md5").update(Buffer.concat(md5s)).digest("hex")}-2"`);
  const sha256s = [big, small].map((bytes) => createHash("sha256").update(bytes).digest());
  expect(done.ChecksumSHA256).toBe(
    `${createHash("sha256").update(Buffer.concat(sha256s)).digest("base64")}-2`,
  );
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
  const found = Buffer.from((await Body?.transformToByteArray()) ?? []);
  expect(found.equals(Buffer.concat([big, small]))).toBe(true);
  expect(readdirSync(join(rig.directory, "s3", "incoming"))).toEqual([]);
});

test("S3-12 what does not fit together is refused", async () => {
  await using rig = await newRig();
  const s3 = rig.s3();
  await s3.send(new CreateBucketCommand({ Bucket }));
  const upload = await begin(s3);
  const first = await upload.part(1, small);
  const second = await upload.part(2, small);
  expect(await codeOf(upload.complete([first, second]))).toBe("EntityTooSmall");
  expect(await codeOf(upload.complete([second, first]))).toBe("InvalidPartOrder");
  expect(await codeOf(upload.complete([{ ...first, ETag: '"0"' }]))).toBe("InvalidPart");
  expect(await codeOf(upload.complete([{ ...first, PartNumber: 9 }]))).toBe("InvalidPart");
  await upload.complete([second]);
  expect(await codeOf(upload.complete([second]))).toBe("NoSuchUpload");
});

test("S3-13 an aborted upload is gone with its parts", async () => {
  await using rig = await newRig();
  const s3 = rig.s3();
  await s3.send(new CreateBucketCommand({ Bucket }));
  const upload = await begin(s3);
  await upload.part(1, small);
  const before = await s3.send(new ListMultipartUploadsCommand({ Bucket }));
  expect(before.Uploads?.map(({ UploadId }) => UploadId)).toEqual([upload.id]);
  await s3.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId: upload.id }));
  expect((await s3.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads ?? []).toEqual([]);
  expect(await codeOf(upload.part(2, small))).toBe("NoSuchUpload");
  expect(await codeOf(s3.send(new GetObjectCommand({ Bucket, Key })))).toBe("NoSuchKey");
  expect(readdirSync(join(rig.directory, "s3", "incoming"))).toEqual([]);
});

type UploadedPart = {
  readonly PartNumber: number;
  readonly ETag: string | undefined;
  readonly ChecksumSHA256: string | undefined;
};

async function begin(s3: S3Client) {
  const created = await s3.send(
    new CreateMultipartUploadCommand({ Bucket, Key, ChecksumAlgorithm: "SHA256" }),
  );
  const UploadId = created.UploadId ?? "";
  return {
    id: UploadId,
    part: async (PartNumber: number, Body: Buffer): Promise<UploadedPart> => {
      const command = new UploadPartCommand({
        Bucket,
        Key,
        UploadId,
        PartNumber,
        Body,
        ChecksumAlgorithm: "SHA256",
      });
      const { ETag, ChecksumSHA256 } = await s3.send(command);
      return { PartNumber, ETag, ChecksumSHA256 };
    },
    complete: (Parts: UploadedPart[]) =>
      s3.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } })),
  };
}
