import { copyFile } from "node:fs/promises";
import { AwsFault } from "../fault.ts";
import { aclOf } from "./acl.ts";
import type { Bucket } from "./bucket.ts";
import { isChecksumAlgorithm, toDigest } from "./checksum.ts";
import { type StoredObject, toKeptHeaders } from "./object.ts";
import { checkKey } from "./objects.ts";
import { bucketOf, regionOfCall, replyXml, type S3Call } from "./s3-call.ts";

/** Copies within a partition; S3 too copies the bytes and the headers but never the ACL. */
export async function copyObject(call: S3Call): Promise<void> {
  const target = bucketOf(call);
  const acl = aclOf(call, target);
  checkKey(call.key);
  const [bucketName, key] = toSource(call.request.headers["x-amz-copy-source"] ?? "");
  const source = sourceOf(call, bucketName);
  const object = call.world.s3.object(source, key);
  if (!object)
    throw new AwsFault("NoSuchKey", "The specified key does not exist.", { details: { Key: key } });
  const replaces = call.request.headers["x-amz-metadata-directive"] === "REPLACE";
  if (source.name === target.name && key === call.key && !replaces) {
    throw new AwsFault(
      "InvalidRequest",
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    );
  }
  const file = call.world.s3.newFile();
  await copyFile(call.world.s3.dataPath(source, object.file), call.world.s3.dataPath(target, file));
  const copy: StoredObject = {
    ...object,
    key: call.key,
    file,
    acl,
    checksum: await toChecksum(call, source, object),
    modifiedAt: new Date().toISOString(),
    headers: replaces ? toKeptHeaders(call.request.headers) : object.headers,
  };
  await call.world.s3.putObject(target, copy);
  const { checksum } = copy;
  replyXml(call, "CopyObjectResult", {
    LastModified: copy.modifiedAt,
    ETag: copy.etag,
    ...(checksum ? { [`Checksum${checksum.algorithm}`]: checksum.value, ChecksumType: checksum.type } : {}),
  });
}

/** It is asked for where the copy goes, and reads wherever in the partition the source is. */
function sourceOf(call: S3Call, name: string): Bucket {
  const bucket = call.world.s3.bucket(regionOfCall(call).partition, name);
  if (bucket) return bucket;
  throw new AwsFault("NoSuchBucket", "The specified bucket does not exist", {
    details: { BucketName: name },
  });
}

/** That of the source, or the one that is asked for. */
async function toChecksum(
  call: S3Call,
  source: Bucket,
  object: StoredObject,
): Promise<StoredObject["checksum"]> {
  const algorithm = (call.request.headers["x-amz-checksum-algorithm"] ?? "").toUpperCase();
  if (!isChecksumAlgorithm(algorithm)) return object.checksum;
  const digest = toDigest(algorithm);
  for await (const chunk of call.world.s3.read(source, object)) digest.update(chunk as Uint8Array);
  return { algorithm, value: digest.base64(), type: "FULL_OBJECT" };
}

function toSource(header: string): readonly [string, string] {
  const path = decodeURIComponent(header.split("?")[0] ?? "").replace(/^\//, "");
  const slash = path.indexOf("/");
  if (slash > 0) return [path.slice(0, slash), path.slice(slash + 1)];
  throw new AwsFault(
    "InvalidArgument",
    "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
  );
}
