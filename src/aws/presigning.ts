import { type ObjectCannedACL, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { type Link, toCallProblem } from "./client.ts";
import { about } from "./objects.ts";
import type { Provider } from "./provider.ts";

/** Signed as headers: the SDK itself would move some into the query and leave the length and the type unsigned. */
const bound = ["content-length", "content-type", "x-amz-acl", "x-amz-checksum-sha1"];

/** URLs for instances to use, which may know S3 at another endpoint than we do. */
export function toPresigning(link: Link, client: S3Client, signing: S3Client): Pick<Provider, "presignPut"> {
  return {
    presignPut: async (where, { sizeBytes, sha1, contentType, acl }, validSeconds, signal) => {
      const checksum = Buffer.from(sha1, "hex").toString("base64");
      const command = new PutObjectCommand({
        Bucket: where.bucket,
        Key: where.key,
        ContentLength: sizeBytes,
        ContentType: contentType,
        ChecksumSHA1: checksum,
        ACL: acl as ObjectCannedACL,
      });
      // What the SDK has learned from S3's answers of how wrong this machine's clock is; its types do not tell of it.
      const { systemClockOffset = 0 } = client.config as { systemClockOffset?: number };
      try {
        signal.throwIfAborted();
        const url = await getSignedUrl(signing, command, {
          expiresIn: validSeconds,
          signingDate: new Date(Date.now() + systemClockOffset),
          signableHeaders: new Set(["host", ...bound]),
          unhoistableHeaders: new Set(bound),
        });
        const headers = { "content-type": contentType, "x-amz-acl": acl, "x-amz-checksum-sha1": checksum };
        return { url, headers };
      } catch (error) {
        throw toCallProblem(error, link, "PutObject", about(where, signal, ["s3:PutObject"]));
      }
    },
  };
}
