import { createHash, randomUUID } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { readText } from "../body.ts";
import { AwsFault } from "../fault.ts";
import { childrenOf, readXml, textOf } from "../xml-reading.ts";
import { aclOf } from "./acl.ts";
import type { CannedAcl } from "./bucket.ts";
import { type ChecksumAlgorithm, isChecksumAlgorithm, toChecksumHeader, toDigest } from "./checksum.ts";
import { type ObjectHeaders, type StoredChecksum, type StoredObject, toKeptHeaders } from "./object.ts";
import { checkKey } from "./objects.ts";
import { type Received, receive } from "./receive.ts";
import { bucketOf, reply, replyXml, type S3Call } from "./s3-call.ts";

/** A multipart upload that is neither completed nor aborted. They are forgotten when the emulator stops. */
export type Upload = {
  readonly id: string;
  readonly bucketName: string;
  readonly key: string;
  readonly acl: CannedAcl;
  readonly headers: ObjectHeaders;
  readonly algorithm: ChecksumAlgorithm | undefined;
  readonly startedAt: string;
  readonly parts: Map<number, Received>;
};

const maxParts = 10_000;
/** Every part but the last must have as much. */
const minPartBytes = 5 * 1024 * 1024;

export async function createUpload(call: S3Call): Promise<void> {
  const bucket = bucketOf(call);
  checkKey(call.key);
  const named = call.request.headers["x-amz-checksum-algorithm"];
  const upload: Upload = {
    id: randomUUID().replaceAll("-", ""),
    bucketName: bucket.name,
    key: call.key,
    acl: aclOf(call, bucket),
    headers: toKeptHeaders(call.request.headers),
    algorithm: named !== undefined && isChecksumAlgorithm(named) ? named : undefined,
    startedAt: new Date().toISOString(),
    parts: new Map(),
  };
  call.world.uploads.set(upload.id, upload);
  replyXml(call, "InitiateMultipartUploadResult", {
    Bucket: bucket.name,
    Key: call.key,
    UploadId: upload.id,
  });
}

export async function uploadPart(call: S3Call): Promise<void> {
  const upload = uploadOf(call);
  const number = Number(call.query.get("partNumber"));
  if (!Number.isInteger(number) || number < 1 || number > maxParts) {
    throw new AwsFault("InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive");
  }
  const received = await receive(call);
  const old = upload.parts.get(number);
  upload.parts.set(number, received);
  if (old) await rm(old.path, { force: true });
  const { checksum } = received;
  reply(call, 200, {
    etag: `"${received.md5Hex}"`,
    ...(checksum ? { [toChecksumHeader(checksum.algorithm)]: checksum.value } : {}),
  });
}

export async function listParts(call: S3Call): Promise<void> {
  const upload = uploadOf(call);
  const parts = [...upload.parts].sort(([a], [b]) => a - b);
  replyXml(call, "ListPartsResult", {
    Bucket: upload.bucketName,
    Key: upload.key,
    UploadId: upload.id,
    StorageClass: "STANDARD",
    IsTruncated: false,
    Part: parts.map(([PartNumber, { md5Hex, sizeBytes }]) => ({
      PartNumber,
      ETag: `"${md5Hex}"`,
      Size: sizeBytes,
    })),
  });
}

export async function listUploads(call: S3Call): Promise<void> {
  const bucket = bucketOf(call);
  const uploads = [...call.world.uploads.values()].filter(({ bucketName }) => bucketName === bucket.name);
  replyXml(call, "ListMultipartUploadsResult", {
    Bucket: bucket.name,
    IsTruncated: false,
    Upload: uploads.map(({ key, id, startedAt }) => ({ Key: key, UploadId: id, Initiated: startedAt })),
  });
}

export async function abortUpload(call: S3Call): Promise<void> {
  const upload = uploadOf(call);
  call.world.uploads.delete(upload.id);
  for (const part of upload.parts.values()) await rm(part.path, { force: true });
  reply(call, 204);
}

export async function completeUpload(call: S3Call): Promise<void> {
  const bucket = bucketOf(call);
  const upload = uploadOf(call);
  const request = readXml((await readText(call.body.bytes, 4 * 1024 * 1024)).toString("utf8"));
  const parts = chooseParts(
    upload,
    childrenOf(request, "Part").map((part) => [
      Number(textOf(part, "PartNumber")),
      textOf(part, "ETag") ?? "",
    ]),
  );
  const file = call.world.s3.newFile();
  const path = join(call.world.s3.incomingDirectory, file);
  await pipeline(joined(parts), createWriteStream(path, { mode: 0o600 }));
  await rename(path, call.world.s3.dataPath(bucket, file));
  const md5 = createHash("md5").update(Buffer.from(parts.map(({ md5Hex }) => md5Hex).join(""), "hex"));
  const object: StoredObject = {
    key: upload.key,
    file,
    sizeBytes: parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    etag: `"${md5.digest("hex")}-${parts.length}"`,
    modifiedAt: new Date().toISOString(),
    acl: upload.acl,
    checksum: upload.algorithm ? toComposite(upload.algorithm, parts) : null,
    headers: upload.headers,
  };
  await call.world.s3.putObject(bucket, object);
  call.world.uploads.delete(upload.id);
  for (const part of upload.parts.values()) await rm(part.path, { force: true });
  replyXml(call, "CompleteMultipartUploadResult", {
    Location: `http://${call.request.headers["host"] ?? ""}/${bucket.name}/${upload.key}`,
    Bucket: bucket.name,
    Key: upload.key,
    ETag: object.etag,
    ...(object.checksum
      ? { [`Checksum${object.checksum.algorithm}`]: object.checksum.value, ChecksumType: "COMPOSITE" }
      : {}),
  });
}

function chooseParts(upload: Upload, wanted: readonly (readonly [number, string])[]): readonly Received[] {
  if (wanted.length === 0) {
    throw new AwsFault(
      "MalformedXML",
      "The XML you provided was not well-formed or did not validate against our published schema",
    );
  }
  if (wanted.some(([number], index) => index > 0 && number <= (wanted[index - 1]?.[0] ?? 0))) {
    throw new AwsFault(
      "InvalidPartOrder",
      "The list of parts was not in ascending order. Parts must be ordered by part number.",
    );
  }
  return wanted.map(([number, etag], index) => {
    const part = upload.parts.get(number);
    if (!part || etag.replaceAll('"', "") !== part.md5Hex) {
      throw new AwsFault(
        "InvalidPart",
        "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
      );
    }
    if (index < wanted.length - 1 && part.sizeBytes < minPartBytes) {
      throw new AwsFault("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size", {
        details: {
          ProposedSize: String(part.sizeBytes),
          MinSizeAllowed: String(minPartBytes),
          PartNumber: String(number),
        },
      });
    }
    return part;
  });
}

async function* joined(parts: readonly Received[]): AsyncGenerator<Uint8Array, void, undefined> {
  for (const part of parts) yield* createReadStream(part.path);
}

/** The checksum of the parts' checksums, as S3 makes it for an upload in parts. */
function toComposite(algorithm: ChecksumAlgorithm, parts: readonly Received[]): StoredChecksum | null {
  const digest = toDigest(algorithm);
  for (const { checksum } of parts) {
    if (checksum?.algorithm !== algorithm) return null;
    digest.update(Buffer.from(checksum.value, "base64"));
  }
  return { algorithm, value: `${digest.base64()}-${parts.length}`, type: "COMPOSITE" };
}

function uploadOf(call: S3Call): Upload {
  const bucket = bucketOf(call);
  const upload = call.world.uploads.get(call.query.get("uploadId") ?? "");
  if (upload && upload.bucketName === bucket.name && upload.key === call.key) return upload;
  throw new AwsFault(
    "NoSuchUpload",
    "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
  );
}
