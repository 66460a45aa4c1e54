import { AwsFault } from "../fault.ts";
import { ownerOf } from "./acl.ts";
import type { StoredObject } from "./object.ts";
import { bucketOf, replyXml, type S3Call } from "./s3-call.ts";

type Page = {
  readonly objects: readonly StoredObject[];
  readonly prefixes: readonly string[];
  /** The last key or prefix of the page when more follow. */
  readonly last: string | undefined;
};

const maxPage = 1000;

export async function listObjectsV2(call: S3Call): Promise<void> {
  const token = call.query.get("continuation-token");
  const after = token === undefined ? (call.query.get("start-after") ?? "") : fromToken(token);
  const page = toPage(call, after);
  const encode = toEncoder(call);
  replyXml(call, "ListBucketResult", {
    ...toCommon(call, page, encode),
    KeyCount: page.objects.length + page.prefixes.length,
    ContinuationToken: token,
    NextContinuationToken: page.last === undefined ? undefined : Buffer.from(page.last).toString("base64url"),
    StartAfter: call.query.get("start-after"),
  });
}

export async function listObjects(call: S3Call): Promise<void> {
  const marker = call.query.get("marker") ?? "";
  const page = toPage(call, marker);
  replyXml(call, "ListBucketResult", {
    ...toCommon(call, page, toEncoder(call)),
    Marker: marker,
    NextMarker: call.query.has("delimiter") ? page.last : undefined,
  });
}

function toCommon(
  call: S3Call,
  page: Page,
  encode: (text: string) => string,
): Readonly<Record<string, Parameters<typeof replyXml>[2][string]>> {
  const withOwner = call.operation === "ListObjects" || call.query.get("fetch-owner") === "true";
  return {
    Name: call.bucketName,
    Prefix: encode(call.query.get("prefix") ?? ""),
    Delimiter: call.query.get("delimiter"),
    MaxKeys: maxKeysOf(call),
    EncodingType: call.query.get("encoding-type"),
    IsTruncated: page.last !== undefined,
    Contents: page.objects.map((object) => ({
      Key: encode(object.key),
      LastModified: object.modifiedAt,
      ETag: object.etag,
      ChecksumAlgorithm: object.checksum?.algorithm,
      ChecksumType: object.checksum?.type,
      Size: object.sizeBytes,
      Owner: withOwner ? ownerOf(call) : undefined,
      StorageClass: "STANDARD",
    })),
    CommonPrefixes: page.prefixes.map((prefix) => ({ Prefix: encode(prefix) })),
  };
}

function toPage(call: S3Call, after: string): Page {
  const prefix = call.query.get("prefix") ?? "";
  const delimiter = call.query.get("delimiter") ?? "";
  const maxKeys = maxKeysOf(call);
  const objects: StoredObject[] = [];
  const prefixes: string[] = [];
  let last: string | undefined;
  for (const object of call.world.s3.objects(bucketOf(call))) {
    const rolled = toCommonPrefix(object.key, prefix, delimiter);
    const isBefore = compareBytes(object.key, after) <= 0 || rolled === after;
    const isRepeated = rolled !== undefined && prefixes.at(-1) === rolled;
    if (!object.key.startsWith(prefix) || isBefore || isRepeated) continue;
    if (objects.length + prefixes.length >= maxKeys) return { objects, prefixes, last };
    if (rolled === undefined) objects.push(object);
    else prefixes.push(rolled);
    last = rolled ?? object.key;
  }
  return { objects, prefixes, last: undefined };
}

function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function toCommonPrefix(key: string, prefix: string, delimiter: string): string | undefined {
  const end = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length);
  return end < 0 ? undefined : key.slice(0, end + delimiter.length);
}

function maxKeysOf(call: S3Call): number {
  const asked = Number(call.query.get("max-keys") ?? maxPage);
  if (!Number.isInteger(asked) || asked < 0) {
    throw new AwsFault("InvalidArgument", "Provided max-keys not an integer or within integer range", {
      details: { ArgumentName: "max-keys", ArgumentValue: call.query.get("max-keys") ?? "" },
    });
  }
  return Math.min(asked, maxPage);
}

function toEncoder(call: S3Call): (text: string) => string {
  if (call.query.get("encoding-type") !== "url") return (text) => text;
  return (text) => encodeURIComponent(text).replaceAll("%2F", "/");
}

function fromToken(token: string): string {
  return Buffer.from(token, "base64url").toString("utf8");
}
