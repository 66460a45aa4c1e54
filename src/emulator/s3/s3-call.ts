import { type Region, regionOf } from "../../util/region.ts";
import type { SignedBody } from "../body.ts";
import type { Call } from "../call.ts";
import { AwsFault } from "../fault.ts";
import { toXmlDocument, type XmlValue } from "../xml.ts";
import type { Bucket } from "./bucket.ts";
import type { StoredObject } from "./object.ts";

/** A signed S3 request; `bucketName` and `key` are empty where it names none. */
export type S3Call = Call & {
  readonly operation: string;
  readonly bucketName: string;
  readonly key: string;
  readonly query: ReadonlyMap<string, string>;
  readonly body: SignedBody;
  /** A test wants the answer to break off in its middle. */
  readonly breaksOff: boolean;
};

export type S3Operation = (call: S3Call) => Promise<void>;

const s3Namespace = "http://s3.amazonaws.com/doc/2006-03-01/";

/** The region that the caller speaks to. */
export function regionOfCall(call: Call): Region {
  return regionOf(call.authorization.scope.region);
}

/** The bucket of the call; S3 sends who asks in the wrong region away with 301. */
export function bucketOf(call: S3Call, name: string = call.bucketName): Bucket {
  const region = regionOfCall(call);
  const bucket = call.world.s3.bucket(region.partition, name);
  if (!bucket) {
    throw new AwsFault("NoSuchBucket", "The specified bucket does not exist", {
      details: { BucketName: name },
    });
  }
  if (bucket.region !== region.name && call.operation !== "GetBucketLocation") {
    throw new AwsFault(
      "PermanentRedirect",
      "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.",
      {
        details: { Endpoint: `s3.${bucket.region}.${region.dnsSuffix}`, Bucket: name, Region: bucket.region },
      },
    );
  }
  return bucket;
}

/** The object of the call, or NoSuchKey. */
export function objectOf(call: S3Call, bucket: Bucket): StoredObject {
  const object = call.world.s3.object(bucket, call.key);
  if (!object)
    throw new AwsFault("NoSuchKey", "The specified key does not exist.", { details: { Key: call.key } });
  return object;
}

/** Answers without a body. */
export function reply(call: S3Call, status: number, headers: Record<string, string> = {}): void {
  call.response.writeHead(status, headers).end();
}

/** Answers with a document. */
export function replyXml(call: S3Call, name: string, value: { readonly [name: string]: XmlValue }): void {
  const text = toXmlDocument(name, { "@xmlns": s3Namespace, ...value });
  call.response
    .writeHead(200, { "content-type": "application/xml", "content-length": Buffer.byteLength(text) })
    .end(text);
}
