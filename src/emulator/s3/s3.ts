import { regionOf } from "../../util/region.ts";
import type { RawRequest } from "../authorization.ts";
import { openSignedBody } from "../body.ts";
import type { Call } from "../call.ts";
import { disturb } from "../disturb.ts";
import { AwsFault } from "../fault.ts";
import { toXmlDocument } from "../xml.ts";
import { getBucketAcl, getObjectAcl, putBucketAcl, putObjectAcl } from "./acl.ts";
import * as buckets from "./buckets.ts";
import { copyObject } from "./copy.ts";
import { listObjects, listObjectsV2 } from "./listing.ts";
import * as objects from "./objects.ts";
import { operationOf, permissionsOf, targetOf } from "./operation.ts";
import type { S3Operation } from "./s3-call.ts";
import * as uploads from "./uploads.ts";

const operations: Readonly<Record<string, S3Operation>> = {
  ListBuckets: buckets.listBuckets,
  CreateBucket: buckets.createBucket,
  HeadBucket: buckets.headBucket,
  DeleteBucket: buckets.deleteBucket,
  GetBucketLocation: buckets.getBucketLocation,
  GetBucketOwnershipControls: buckets.getOwnership,
  PutBucketOwnershipControls: buckets.putOwnership,
  DeleteBucketOwnershipControls: buckets.deleteOwnership,
  GetBucketAcl: getBucketAcl,
  PutBucketAcl: putBucketAcl,
  ListObjects: listObjects,
  ListObjectsV2: listObjectsV2,
  PutObject: objects.putObject,
  GetObject: objects.getObject,
  HeadObject: objects.headObject,
  DeleteObject: objects.deleteObject,
  DeleteObjects: objects.deleteObjects,
  CopyObject: copyObject,
  GetObjectAcl: getObjectAcl,
  PutObjectAcl: putObjectAcl,
  CreateMultipartUpload: uploads.createUpload,
  UploadPart: uploads.uploadPart,
  CompleteMultipartUpload: uploads.completeUpload,
  AbortMultipartUpload: uploads.abortUpload,
  ListParts: uploads.listParts,
  ListMultipartUploads: uploads.listUploads,
};

/** Answers one S3 request. */
export async function answerS3(call: Call): Promise<void> {
  const { world, authorization, incoming, response } = call;
  const body = openSignedBody(incoming, authorization, call.request, [world.identity.accessKey]);
  const request = withQueryHeaders(call.request);
  const region = authorization.scope.region;
  if (!world.regions.includes(region)) {
    throw new AwsFault(
      "AuthorizationHeaderMalformed",
      `The authorization header is malformed; the region '${region}' is wrong; expecting 'us-east-1'`,
      { details: { Region: "us-east-1" } },
    );
  }
  const target = targetOf(request);
  const operation = operationOf(request, target);
  const run = operation === undefined ? undefined : operations[operation];
  if (operation === undefined || !run) {
    throw new AwsFault(
      "NotImplemented",
      "A header or query you provided implies functionality that is not implemented.",
    );
  }
  const effect = await disturb(call, operation);
  if (effect === "cut" && operation !== "GetObject") return;
  for (const permission of permissionsOf(operation, request)) {
    if (world.rules.isDenied(permission))
      throw denied(call, permission, `${target.bucketName}/${target.key}`);
  }
  if (effect === "cut-after") response.end = () => response.destroy();
  const query = new Map(request.query);
  await run({ ...call, request, ...target, operation, query, body, breaksOff: effect === "cut" });
}

/** A presigned URL carries in its query what would else be headers: S3 takes `x-amz-acl` from either. */
function withQueryHeaders(request: RawRequest): RawRequest {
  const hoisted = request.query
    .map(([name, value]) => [name.toLowerCase(), value] as const)
    .filter(([name]) => name.startsWith("x-amz-") && !signatureWords.has(name));
  return hoisted.length === 0
    ? request
    : { ...request, headers: { ...Object.fromEntries(hoisted), ...request.headers } };
}

const signatureWords = new Set(
  ["algorithm", "credential", "date", "expires", "signedheaders", "signature"].map((word) => `x-amz-${word}`),
);

function denied(call: Call, permission: string, resource: string): AwsFault {
  const { partition } = regionOf(call.authorization.scope.region);
  const arn = `arn:${partition}:s3:::${resource.replace(/\/$/, "")}`;
  return new AwsFault(
    "AccessDenied",
    `User: ${call.world.callerArn(partition)} is not authorized to perform: s3:${permission} on resource: "${arn}" because no identity-based policy allows the s3:${permission} action`,
  );
}

/** Writes an error as S3 does; an answer to HEAD has no body, only a status. */
export function refuseS3(call: Pick<Call, "request" | "requestId" | "response">, fault: AwsFault): void {
  const { Region } = fault.details;
  const text = toXmlDocument("Error", {
    Code: fault.code,
    Message: fault.message,
    ...fault.details,
    Resource: call.request.path,
    RequestId: call.requestId,
    HostId: Buffer.from(call.requestId).toString("base64"),
  });
  call.response.writeHead(fault.status, {
    "content-type": "application/xml",
    ...(Region === undefined ? {} : { "x-amz-bucket-region": Region }),
    ...(call.request.method === "HEAD" ? {} : { "content-length": Buffer.byteLength(text) }),
  });
  call.response.end(call.request.method === "HEAD" ? undefined : text);
}
