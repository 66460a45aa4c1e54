import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketLocationCommand,
  GetBucketOwnershipControlsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutBucketOwnershipControlsCommand,
  PutObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { expect, test } from "vitest";
import { haveMoto } from "../help/moto.ts";
import { newMotoRig } from "./moto-rig.ts";
import { codeOf } from "./rig.ts";

// Every test does the same to both and expects the same to be told; it is skipped where python3 has no moto.
const heldAgainstMoto = test.skipIf(!haveMoto);
const Bucket = "held-against-moto";

heldAgainstMoto("moto and the emulator tell the same of objects", async () => {
  await using rig = await newMotoRig();
  const [moto, ours] = await rig.both(async ({ s3 }) => {
    const client = s3("us-east-1");
    await client.send(new CreateBucketCommand({ Bucket }));
    const put = await client.send(
      new PutObjectCommand({
        Bucket,
        Key: "a b/+ü",
        Body: "0123456789",
        ContentType: "text/x",
        Metadata: { run: "r1" },
      }),
    );
    const head = await client.send(new HeadObjectCommand({ Bucket, Key: "a b/+ü", ChecksumMode: "ENABLED" }));
    const range = await client.send(new GetObjectCommand({ Bucket, Key: "a b/+ü", Range: "bytes=2-4" }));
    const copy = await client.send(
      new CopyObjectCommand({
        Bucket,
        Key: "copy",
        CopySource: encodeURI(`${Bucket}/a b/`) + encodeURIComponent("+ü"),
      }),
    );
    const codes = [
      await codeOf(client.send(new GetObjectCommand({ Bucket, Key: "none" }))),
      await codeOf(client.send(new HeadObjectCommand({ Bucket, Key: "none" }))),
      await codeOf(client.send(new GetObjectCommand({ Bucket: "no-such-bucket", Key: "none" }))),
      await codeOf(client.send(new GetObjectCommand({ Bucket, Key: "copy", Range: "bytes=10-" }))),
      await codeOf(client.send(new DeleteBucketCommand({ Bucket }))),
      await codeOf(client.send(new DeleteObjectCommand({ Bucket, Key: "none" }))),
    ];
    return {
      codes,
      put: [put.ETag, put.ChecksumCRC32],
      head: [head.ContentLength, head.ETag, head.ContentType, head.Metadata, head.ChecksumCRC32],
      range: [range.$metadata.httpStatusCode, range.ContentRange, await range.Body?.transformToString()],
      copy: copy.CopyObjectResult?.ETag,
    };
  });
  expect(ours).toEqual(moto);
});

heldAgainstMoto("moto and the emulator list alike", async () => {
  await using rig = await newMotoRig();
  const [moto, ours] = await rig.both(async ({ s3 }) => {
    const client = s3("us-east-1");
    await client.send(new CreateBucketCommand({ Bucket }));
    for (const Key of ["b/2", "a", "b/1", "c/x", "z", "b.txt"])
      await client.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
    const list = async (options: object): Promise<unknown> => {
      const page = await client.send(new ListObjectsV2Command({ Bucket, ...options }));
      const { KeyCount, MaxKeys, IsTruncated, Name, Prefix, Delimiter } = page;
      const contents = page.Contents?.map(({ Key, Size, ETag, StorageClass }) => [
        Key,
        Size,
        ETag,
        StorageClass,
      ]);
      const prefixes = page.CommonPrefixes?.map((one) => one.Prefix);
      return { KeyCount, MaxKeys, IsTruncated, Name, Prefix, Delimiter, contents, prefixes };
    };
    const lists = [
      await list({}),
      await list({ Prefix: "b" }),
      await list({ Delimiter: "/", Prefix: "" }),
      await list({ MaxKeys: 2 }),
      await list({ StartAfter: "b/1" }),
    ];
    const Objects = [{ Key: "a" }, { Key: "none" }];
    const deleted = await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    return { lists, deleted: deleted.Deleted?.map(({ Key }) => Key), after: await list({ Prefix: "a" }) };
  });
  expect(ours).toEqual(moto);
});

heldAgainstMoto("moto and the emulator make one object of parts", async () => {
  await using rig = await newMotoRig();
  const [moto, ours] = await rig.both(async ({ s3 }) => {
    const client = s3("us-east-1");
    await client.send(new CreateBucketCommand({ Bucket }));
    const Key = "parts";
    const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key }));
    const part = async (
      PartNumber: number,
      bytes: number,
    ): Promise<{ PartNumber: number; ETag: string | undefined }> => {
      const command = new UploadPartCommand({
        Bucket,
        Key,
        UploadId,
        PartNumber,
        Body: Buffer.alloc(bytes, PartNumber),
      });
      return { PartNumber, ETag: (await client.send(command)).ETag };
    };
    const Parts = [await part(1, 5 * 1024 * 1024), await part(2, 7)];
    const small = [await part(3, 7), await part(4, 7)];
    const complete = (chosen: typeof Parts) =>
      client.send(
        new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts: chosen } }),
      );
    const codes = [await codeOf(complete(small)), await codeOf(complete([{ PartNumber: 9, ETag: '"0"' }]))];
    const { ETag } = await complete(Parts);
    const head = await client.send(new HeadObjectCommand({ Bucket, Key }));
    const second = await client.send(new CreateMultipartUploadCommand({ Bucket, Key }));
    const abort = new AbortMultipartUploadCommand({ Bucket, Key, UploadId: second.UploadId });
    await client.send(abort);
    codes.push(await codeOf(client.send(abort)));
    return { codes, Parts, ETag, head: [head.ContentLength, head.ETag] };
  });
  expect(ours).toEqual(moto);
});

heldAgainstMoto("moto and the emulator tell the same of buckets", async () => {
  await using rig = await newMotoRig();
  const [moto, ours] = await rig.both(async ({ s3 }) => {
    const [home, away] = [s3("us-east-1"), s3("eu-west-1")];
    await home.send(new CreateBucketCommand({ Bucket, ObjectOwnership: "BucketOwnerPreferred" }));
    await away.send(new CreateBucketCommand({ Bucket: `${Bucket}-eu` }));
    const at = async (client: typeof home, name: string): Promise<unknown> =>
      (await client.send(new GetBucketLocationCommand({ Bucket: name }))).LocationConstraint;
    const before = await home.send(new GetBucketOwnershipControlsCommand({ Bucket }));
    const Rules = [{ ObjectOwnership: "BucketOwnerEnforced" as const }];
    await home.send(new PutBucketOwnershipControlsCommand({ Bucket, OwnershipControls: { Rules } }));
    const after = await home.send(new GetBucketOwnershipControlsCommand({ Bucket }));
    return {
      locations: [await at(home, Bucket), await at(away, `${Bucket}-eu`)],
      ownership: [before.OwnershipControls, after.OwnershipControls],
      taken: await codeOf(away.send(new CreateBucketCommand({ Bucket: `${Bucket}-eu` }))),
      gone: await codeOf(home.send(new ListObjectsV2Command({ Bucket: "no-such-bucket" }))),
    };
  });
  expect(ours).toEqual(moto);
});
