import type { RawRequest } from "../authorization.ts";

/** What an S3 request is addressed to; empty strings where it names nothing. */
export type Target = { readonly bucketName: string; readonly key: string };

/** Bucket and key, from the path or, for `BUCKET.localhost`, from the host. */
export function targetOf({ path, headers }: RawRequest): Target {
  const host = (headers["host"] ?? "").replace(/:\d+$/, "");
  const decoded = path.slice(1).split("/").map(decodeURIComponent).join("/");
  if (host.endsWith(".localhost")) return { bucketName: host.slice(0, -".localhost".length), key: decoded };
  const slash = decoded.indexOf("/");
  return slash < 0
    ? { bucketName: decoded, key: "" }
    : { bucketName: decoded.slice(0, slash), key: decoded.slice(slash + 1) };
}

/** Method, level, and the query word that tells operations apart (S3 API reference); the first line that fits counts. */
const table: readonly (readonly [string, "service" | "bucket" | "object", string, string])[] = [
  ["GET", "service", "", "ListBuckets"],
  ["GET", "bucket", "location", "GetBucketLocation"],
  ["GET", "bucket", "ownershipControls", "GetBucketOwnershipControls"],
  ["GET", "bucket", "acl", "GetBucketAcl"],
  ["GET", "bucket", "uploads", "ListMultipartUploads"],
  ["GET", "bucket", "list-type", "ListObjectsV2"],
  ["GET", "bucket", "", "ListObjects"],
  ["HEAD", "bucket", "", "HeadBucket"],
  ["PUT", "bucket", "ownershipControls", "PutBucketOwnershipControls"],
  ["PUT", "bucket", "acl", "PutBucketAcl"],
  ["PUT", "bucket", "", "CreateBucket"],
  ["DELETE", "bucket", "ownershipControls", "DeleteBucketOwnershipControls"],
  ["DELETE", "bucket", "", "DeleteBucket"],
  ["POST", "bucket", "delete", "DeleteObjects"],
  ["GET", "object", "acl", "GetObjectAcl"],
  ["GET", "object", "uploadId", "ListParts"],
  ["GET", "object", "", "GetObject"],
  ["HEAD", "object", "", "HeadObject"],
  ["PUT", "object", "acl", "PutObjectAcl"],
  ["PUT", "object", "uploadId", "UploadPart"],
  ["PUT", "object", "", "PutObject"],
  ["POST", "object", "uploads", "CreateMultipartUpload"],
  ["POST", "object", "uploadId", "CompleteMultipartUpload"],
  ["DELETE", "object", "uploadId", "AbortMultipartUpload"],
  ["DELETE", "object", "", "DeleteObject"],
];

/** Sub-resources of S3 that the emulator has not: without this, `?policy` would be taken for the plain operation. */
const strangers = new Set([
  "accelerate",
  "analytics",
  "attributes",
  "cors",
  "encryption",
  "intelligent-tiering",
  "inventory",
  "legal-hold",
  "lifecycle",
  "logging",
  "metrics",
  "notification",
  "object-lock",
  "policy",
  "policyStatus",
  "publicAccessBlock",
  "replication",
  "requestPayment",
  "restore",
  "retention",
  "select",
  "tagging",
  "torrent",
  "versionId",
  "versioning",
  "versions",
  "website",
]);

/** The operation that a request means, by its name in the API reference; `undefined` for what is not emulated. */
export function operationOf({ method, headers, query }: RawRequest, target: Target): string | undefined {
  const level = target.bucketName === "" ? "service" : target.key === "" ? "bucket" : "object";
  const words = new Set(query.map(([name]) => name));
  if ([...words].some((word) => strangers.has(word))) return undefined;
  const row = table.find(
    ([verb, at, word]) => verb === method && at === level && (word === "" || words.has(word)),
  );
  const name = row?.[3];
  if (headers["x-amz-copy-source"] === undefined) return name;
  return name === "PutObject" ? "CopyObject" : undefined;
}

const permissions: Readonly<Record<string, string>> = {
  ListBuckets: "ListAllMyBuckets",
  ListMultipartUploads: "ListBucketMultipartUploads",
  ListObjectsV2: "ListBucket",
  ListObjects: "ListBucket",
  HeadBucket: "ListBucket",
  DeleteObjects: "DeleteObject",
  DeleteBucketOwnershipControls: "PutBucketOwnershipControls",
  ListParts: "ListMultipartUploadParts",
  HeadObject: "GetObject",
  UploadPart: "PutObject",
  CopyObject: "PutObject",
  CreateMultipartUpload: "PutObject",
  CompleteMultipartUpload: "PutObject",
};

/** The permissions that a request needs, as IAM names them, without `s3:`. */
export function permissionsOf(operation: string, { headers }: RawRequest): readonly string[] {
  const permission = permissions[operation] ?? operation;
  const reads = operation === "CopyObject" ? ["GetObject"] : [];
  const writes = ["PutObject", "CopyObject", "CreateMultipartUpload"].includes(operation);
  return writes && headers["x-amz-acl"] !== undefined
    ? [...reads, permission, "PutObjectAcl"]
    : [...reads, permission];
}
