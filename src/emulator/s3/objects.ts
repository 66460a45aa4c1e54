import { rename } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { readText } from "../body.ts";
import { AwsFault } from "../fault.ts";
import { childrenOf, readXml, textOf } from "../xml-reading.ts";
import { aclOf } from "./acl.ts";
import { toChecksumHeader } from "./checksum.ts";
import { checkConditions, toRange } from "./conditions.ts";
import { type StoredObject, toKeptHeaders } from "./object.ts";
import { receive } from "./receive.ts";
import { bucketOf, objectOf, reply, replyXml, type S3Call } from "./s3-call.ts";

const maxKeyBytes = 1024;

export async function putObject(call: S3Call): Promise<void> {
  const bucket = bucketOf(call);
  const acl = aclOf(call, bucket);
  checkKey(call.key);
  if (call.request.headers["if-none-match"] === "*" && call.world.s3.object(bucket, call.key)) {
    throw new AwsFault(
      "PreconditionFailed",
      "At least one of the pre-conditions you specified did not hold",
      { details: { Condition: "If-None-Match" } },
    );
  }
  const received = await receive(call);
  await rename(received.path, call.world.s3.dataPath(bucket, received.file));
  const object: StoredObject = {
    key: call.key,
    file: received.file,
    sizeBytes: received.sizeBytes,
    etag: `"${received.md5Hex}"`,
    modifiedAt: new Date().toISOString(),
    acl,
    checksum: received.checksum,
    headers: toKeptHeaders(call.request.headers),
  };
  await call.world.s3.putObject(bucket, object);
  reply(call, 200, { etag: object.etag, ...toChecksumHeaders(object) });
}

/** Refuses keys that S3 does not take. */
export function checkKey(key: string): void {
  if (Buffer.byteLength(key) > maxKeyBytes) {
    throw new AwsFault("KeyTooLongError", "Your key is too long", {
      details: { MaxSizeAllowed: String(maxKeyBytes) },
    });
  }
}

export async function headObject(call: S3Call): Promise<void> {
  await sendObject(call, false);
}

export async function getObject(call: S3Call): Promise<void> {
  await sendObject(call, true);
}

async function sendObject(call: S3Call, withBody: boolean): Promise<void> {
  const bucket = bucketOf(call);
  const object = objectOf(call, bucket);
  if (!checkConditions(call, object)) {
    reply(call, 304, { etag: object.etag, "last-modified": toHttpDate(object) });
    return;
  }
  const range = toRange(call.request.headers["range"], object.sizeBytes);
  const sizeBytes = range ? range.end - range.start + 1 : object.sizeBytes;
  call.response.writeHead(range ? 206 : 200, {
    ...object.headers,
    "accept-ranges": "bytes",
    "content-length": sizeBytes,
    etag: object.etag,
    "last-modified": toHttpDate(object),
    ...(range ? { "content-range": `bytes ${range.start}-${range.end}/${object.sizeBytes}` } : {}),
    // A checksum is of the whole object, so a stretch of it comes without.
    ...(call.request.headers["x-amz-checksum-mode"] === "ENABLED" && !range ? toChecksumHeaders(object) : {}),
  });
  if (!withBody || sizeBytes === 0) {
    call.response.end();
    return;
  }
  const start = range?.start ?? 0;
  if (call.breaksOff) {
    const half = start + Math.floor(sizeBytes / 2) - 1;
    for await (const chunk of call.world.s3.read(bucket, object, { start, end: Math.max(start, half) })) {
      call.response.write(chunk);
    }
    call.response.socket?.destroySoon();
    return;
  }
  await pipeline(call.world.s3.read(bucket, object, { start, end: start + sizeBytes - 1 }), call.response);
}

/** The checksum of an object as headers, if it was stored with one. */
function toChecksumHeaders({ checksum }: StoredObject): Record<string, string> {
  if (!checksum) return {};
  return { [toChecksumHeader(checksum.algorithm)]: checksum.value, "x-amz-checksum-type": checksum.type };
}

function toHttpDate({ modifiedAt }: StoredObject): string {
  return new Date(modifiedAt).toUTCString();
}

/** Deleting what is not there succeeds. */
export async function deleteObject(call: S3Call): Promise<void> {
  await call.world.s3.deleteObject(bucketOf(call), call.key);
  reply(call, 204);
}

export async function deleteObjects(call: S3Call): Promise<void> {
  const bucket = bucketOf(call);
  const request = readXml((await readText(call.body.bytes, 2 * 1024 * 1024)).toString("utf8"));
  const keys = childrenOf(request, "Object").flatMap((object) => textOf(object, "Key") ?? []);
  if (keys.length === 0 || keys.length > 1000) {
    throw new AwsFault(
      "MalformedXML",
      "The XML you provided was not well-formed or did not validate against our published schema",
    );
  }
  for (const key of keys) await call.world.s3.deleteObject(bucket, key);
  const quiet = textOf(request, "Quiet") === "true";
  replyXml(call, "DeleteResult", { Deleted: quiet ? [] : keys.map((Key) => ({ Key })) });
}
