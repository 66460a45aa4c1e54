import {
  type BucketLocationConstraint,
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectsCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
  type ObjectCannedACL,
} from "@aws-sdk/client-s3";
import { Problem } from "../problem.ts";
import { type CallOptions, call, creating, type Link } from "./client.ts";
import { faultOf } from "./fault-problem.ts";
import { about } from "./objects.ts";
import type { ListedObject, Provider } from "./provider.ts";

type Keeping = Pick<
  Provider,
  "createBucket" | "deleteBucket" | "listObjects" | "deleteObjects" | "copyObject"
>;

/** S3 takes no more in one request (DeleteObjects reference). */
const keysAtOnce = 1000;

/** Buckets that come and go, and objects by the thousand, over S3's API. */
export function toKeeping(link: Link): Keeping {
  return {
    createBucket: async (name, signal) => {
      // Told its own name, us-east-1 refuses; the SDK lists the regions of its own day.
      const region = link.account.region as BucketLocationConstraint;
      const place = link.account.region === "us-east-1" ? undefined : { LocationConstraint: region };
      const command = new CreateBucketCommand({
        Bucket: name,
        ObjectOwnership: "BucketOwnerPreferred",
        ...(place === undefined ? {} : { CreateBucketConfiguration: place }),
      });
      const options: CallOptions = {
        signal: creating(signal),
        resource: `s3://${name}`,
        actions: ["s3:CreateBucket", "s3:PutBucketOwnershipControls"],
      };
      try {
        await call(link, command, options);
        return true;
      } catch (error) {
        // Also when an earlier try was heard and its answer lost.
        if (faultOf(error)?.code === "BucketAlreadyOwnedByYou") return false;
        throw error;
      }
    },

    deleteBucket: async (name, signal) => {
      try {
        await call(link, new DeleteBucketCommand({ Bucket: name }), { signal, resource: `s3://${name}` });
      } catch (error) {
        if (faultOf(error)?.code !== "NoSuchBucket") throw error;
      }
    },

    listObjects: async function* ({ bucket, prefix }, signal) {
      const options = { signal, resource: `s3://${bucket}/${prefix}`, actions: ["s3:ListBucket"] };
      let token: string | undefined;
      do {
        const page: ListObjectsV2CommandOutput = await call(
          link,
          new ListObjectsV2Command({
            Bucket: bucket,
            Prefix: prefix,
            ...(token === undefined ? {} : { ContinuationToken: token }),
          }),
          options,
        );
        yield* toListed(page);
        token = page.IsTruncated ? page.NextContinuationToken : undefined;
      } while (token !== undefined);
    },

    deleteObjects: async (bucket, keys, signal) => {
      for (let at = 0; at < keys.length; at += keysAtOnce) {
        await deleteBatch(link, bucket, keys.slice(at, at + keysAtOnce), signal);
      }
    },

    copyObject: async ({ from, to, acl }, signal) => {
      const source = [from.bucket, ...from.key.split("/")].map(encodeURIComponent).join("/");
      const command = new CopyObjectCommand({
        Bucket: to.bucket,
        Key: to.key,
        CopySource: source,
        ChecksumAlgorithm: "SHA1",
        ACL: acl as ObjectCannedACL,
      });
      await call(link, command, about(to, signal, ["s3:GetObject", "s3:PutObject", "s3:PutObjectAcl"]));
    },
  };
}

function toListed({ Contents = [] }: ListObjectsV2CommandOutput): readonly ListedObject[] {
  return Contents.flatMap(({ Key, Size = 0 }) => (Key === undefined ? [] : { key: Key, sizeBytes: Size }));
}

async function deleteBatch(
  link: Link,
  bucket: string,
  keys: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const command = new DeleteObjectsCommand({
    Bucket: bucket,
    Delete: { Quiet: true, Objects: keys.map((Key) => ({ Key })) },
  });
  const options = { signal, resource: `s3://${bucket}`, actions: ["s3:DeleteObject"] };
  // The answer is 200 also when nothing was deleted: what was refused is in it.
  const { Errors = [] } = await call(link, command, options);
  const refused = Errors.filter(({ Code }) => Code !== "NoSuchKey");
  const [first] = refused;
  if (!first) return;
  const why = `${first.Key ?? "an object"}: ${first.Code ?? "refused"}${first.Message ? `: ${first.Message}` : ""}`;
  throw new Problem(
    first.Code === "AccessDenied" ? "permission-denied" : "aws-fault",
    `S3 did not delete ${refused.length} of ${keys.length} objects in ${bucket}, such as ${why}`,
    { hint: "the caller needs s3:DeleteObject on them, and nobody may hold them by an object lock" },
  );
}
