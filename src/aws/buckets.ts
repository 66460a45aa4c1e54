import {
  DeleteObjectCommand,
  GetBucketLocationCommand,
  GetBucketOwnershipControlsCommand,
  HeadBucketCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { Problem } from "../problem.ts";
import { type CallOptions, call, type Link } from "./client.ts";
import { faultOf } from "./fault-problem.ts";
import { about, toPutObject } from "./objects.ts";
import type { Bucket, Provider } from "./provider.ts";

type Buckets = Pick<Provider, "bucket" | "probePut">;

const noBytes = { bytes: new Uint8Array(0), sha1: "da39a3ee5e6b4b0d3255bfef95601890afd80709" };

/** What can be known of a bucket before anything is put into it, over S3's API. */
export function toBuckets(link: Link): Buckets {
  return {
    bucket: async (name, signal) => {
      const options = { signal, resource: `s3://${name}`, actions: ["s3:ListBucket"] };
      const region = await regionOfBucket(link, name, options);
      // Only a bucket's own region answers further questions.
      const elsewhere = region !== link.account.region;
      return { name, region, ownership: elsewhere ? null : await ownershipOf(link, name, signal) };
    },

    probePut: async (where, acl, signal) => {
      const body = { ...noBytes, contentType: "application/octet-stream", acl };
      const options = about(where, signal, ["s3:PutObjectAcl"]);
      try {
        await call(link, toPutObject(where, body), options);
      } catch (error) {
        if (!(error instanceof Problem) || error.code !== "permission-denied") throw error;
        // One denial, two permissions: what goes without an ACL lacks only the leave to set one.
        const bare = new PutObjectCommand({ Bucket: where.bucket, Key: where.key, Body: noBytes.bytes });
        await call(link, bare, { ...options, actions: ["s3:PutObject"] });
        await removed(link, where, signal);
        throw error;
      }
      return { removed: await removed(link, where, signal) };
    },
  };
}

/**
 * Where a bucket is. S3 answers HEAD without a body: 404 is clear; 301, and 400 or 403 from another region, name the
 * region in a header; any other 400 or 403 is asked again by a request whose answer has an error code.
 */
async function regionOfBucket(link: Link, name: string, options: CallOptions): Promise<string> {
  try {
    const { BucketRegion } = await call(link, new HeadBucketCommand({ Bucket: name }), options);
    return BucketRegion ?? link.account.region;
  } catch (error) {
    const { code = "", bucketRegion } = faultOf(error) ?? {};
    if (bucketRegion !== undefined && bucketRegion !== link.account.region) return bucketRegion;
    if (!["Http400", "Http403", "BadRequest", "Forbidden"].includes(code)) throw error;
    return await locationOf(link, name, options);
  }
}

async function locationOf(link: Link, name: string, options: CallOptions): Promise<string> {
  const command = new GetBucketLocationCommand({ Bucket: name });
  const { LocationConstraint } = await call(link, command, options);
  // Two regions are older than the way they are written now (GetBucketLocation reference).
  if (!LocationConstraint) return "us-east-1";
  return LocationConstraint === "EU" ? "eu-west-1" : LocationConstraint;
}

async function ownershipOf(link: Link, name: string, signal: AbortSignal): Promise<Bucket["ownership"]> {
  const options = { signal, resource: `s3://${name}` };
  try {
    const command = new GetBucketOwnershipControlsCommand({ Bucket: name });
    const { OwnershipControls } = await call(link, command, options);
    return OwnershipControls?.Rules?.[0]?.ObjectOwnership ?? null;
  } catch (error) {
    const code = faultOf(error)?.code;
    // A bucket from before 2023 has no controls, and then works as ObjectWriter.
    if (code === "OwnershipControlsNotFoundError") return "ObjectWriter";
    const unasked = error instanceof Problem && error.code === "permission-denied";
    if (unasked || code === "NotImplemented" || code === "MethodNotAllowed") return null;
    throw error;
  }
}

/** Whether an object could be taken back: a build itself does not need the leave to. */
async function removed(
  link: Link,
  where: { bucket: string; key: string },
  signal: AbortSignal,
): Promise<boolean> {
  const command = new DeleteObjectCommand({ Bucket: where.bucket, Key: where.key });
  try {
    await call(link, command, about(where, signal, ["s3:DeleteObject"]));
    return true;
  } catch (error) {
    if (error instanceof Problem && error.code === "permission-denied") return false;
    throw error;
  }
}
