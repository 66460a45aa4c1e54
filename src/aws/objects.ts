import { Readable } from "node:stream";
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  type ObjectCannedACL,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { Problem } from "../problem.ts";
import { type CallOptions, call, type Link, translated } from "./client.ts";
import { faultOf } from "./fault-problem.ts";
import type { ObjectName, Provider, PutBody } from "./provider.ts";

type Objects = Pick<Provider, "headObject" | "putObject" | "getObject" | "deleteObject">;

/** Objects, over S3's API. */
export function toObjects(link: Link): Objects {
  return {
    putObject: async (where, body, signal) => {
      await call(link, toPutObject(where, body), about(where, signal, ["s3:PutObject", "s3:PutObjectAcl"]));
    },

    headObject: async (where, signal) => {
      const command = new HeadObjectCommand({
        Bucket: where.bucket,
        Key: where.key,
        ChecksumMode: "ENABLED",
      });
      try {
        // Without leave to list, S3 answers "denied" also for what is not there.
        const head = await call(link, command, about(where, signal, ["s3:GetObject", "s3:ListBucket"]));
        return { sizeBytes: head.ContentLength ?? 0, sha1: toHex(head.ChecksumSHA1) };
      } catch (error) {
        if (isMissing(error)) return null;
        throw error;
      }
    },

    getObject: async (where, signal) => {
      const options = about(where, signal, ["s3:GetObject"]);
      const command = new GetObjectCommand({ Bucket: where.bucket, Key: where.key });
      const { Body } = await call(link, command, options);
      if (!(Body instanceof Readable)) {
        throw new Problem("aws-fault", `S3 sent nothing for s3://${where.bucket}/${where.key}`);
      }
      return Readable.from(translated(link, Body, options), { objectMode: false });
    },

    deleteObject: async (where, signal) => {
      const command = new DeleteObjectCommand({ Bucket: where.bucket, Key: where.key });
      try {
        await call(link, command, about(where, signal, ["s3:DeleteObject"]));
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    },
  };
}

/** A request that S3 refuses when the bytes are not those of the digest, and which keeps the digest with the object. */
export function toPutObject(
  where: ObjectName,
  { bytes, sha1, contentType, acl, ifAbsent }: PutBody,
): PutObjectCommand {
  return new PutObjectCommand({
    Bucket: where.bucket,
    Key: where.key,
    Body: bytes,
    ContentType: contentType,
    ContentLength: bytes.byteLength,
    ...(ifAbsent ? { IfNoneMatch: "*" } : {}),
    ChecksumAlgorithm: "SHA1",
    ChecksumSHA1: Buffer.from(sha1, "hex").toString("base64"),
    // The SDK does not list ec2-bundle-read, which S3 knows all the same (bundle-format notes of the AMI tools).
    ACL: acl as ObjectCannedACL,
  });
}

/** What messages say of a request for an object. */
export function about(where: ObjectName, signal: AbortSignal, actions: readonly string[]): CallOptions {
  return { signal, actions, resource: `s3://${where.bucket}/${where.key}` };
}

function isMissing(error: unknown): boolean {
  return ["NoSuchKey", "NotFound", "Http404", "NoSuchBucket"].includes(faultOf(error)?.code ?? "");
}

/** A checksum of checksums, as multipart uploads have, ends in the number of parts and is none of the content. */
function toHex(base64: string | undefined): string | null {
  return base64 === undefined || base64.includes("-") ? null : Buffer.from(base64, "base64").toString("hex");
}
