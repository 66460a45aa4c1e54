import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { AwsFault } from "../fault.ts";
import {
  type ChecksumAlgorithm,
  checksumAlgorithms,
  type Digest,
  isChecksumAlgorithm,
  toChecksumHeader,
  toDigest,
} from "./checksum.ts";
import type { StoredChecksum } from "./object.ts";
import type { S3Call } from "./s3-call.ts";

/** A body that was written to a file and is what its sender said it is. */
export type Received = {
  /** In the store's directory of incoming files; whoever called moves or removes it. */
  readonly path: string;
  readonly file: string;
  readonly sizeBytes: number;
  readonly md5Hex: string;
  readonly checksum: StoredChecksum | null;
};

/** S3 takes no more in one PUT. */
const maxPutBytes = 5 * 1024 ** 3;

/** Streams the body to disk and checks its length, Content-MD5 and checksums; what does not fit leaves nothing behind. */
export async function receive(call: S3Call): Promise<Received> {
  const { store, body } = { store: call.world.s3, body: call.body };
  if (body.sizeBytes === undefined)
    throw new AwsFault("MissingContentLength", "You must provide the Content-Length HTTP header.");
  if (body.sizeBytes > maxPutBytes) {
    throw new AwsFault("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size");
  }
  const file = store.newFile();
  const path = join(store.incomingDirectory, file);
  try {
    return { path, file, ...(await writeChecked(call, path, body.sizeBytes)) };
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}

async function writeChecked(
  call: S3Call,
  path: string,
  announcedBytes: number,
): Promise<Omit<Received, "path" | "file">> {
  const algorithm = announcedAlgorithm(call);
  const md5 = toDigest("MD5");
  const digest = algorithm && toDigest(algorithm);
  let sizeBytes = 0;
  await pipeline(
    call.body.bytes,
    async function* (chunks: AsyncIterable<Uint8Array>) {
      for await (const chunk of chunks) {
        sizeBytes += chunk.length;
        md5.update(chunk);
        digest?.update(chunk);
        yield chunk;
      }
    },
    createWriteStream(path, { mode: 0o600 }),
  );
  if (sizeBytes !== announcedBytes) {
    throw new AwsFault(
      "IncompleteBody",
      "You did not provide the number of bytes specified by the Content-Length HTTP header",
    );
  }
  const md5Base64 = md5.base64();
  const sentMd5 = call.request.headers["content-md5"];
  if (sentMd5 !== undefined && sentMd5 !== md5Base64) throw badMd5(sentMd5, md5Base64);
  return {
    sizeBytes,
    md5Hex: Buffer.from(md5Base64, "base64").toString("hex"),
    checksum: algorithm && digest ? checkedSum(call, algorithm, digest) : null,
  };
}

function announcedAlgorithm(call: S3Call): ChecksumAlgorithm | undefined {
  const { headers } = call.request;
  const inHeader = checksumAlgorithms.find((one) => headers[toChecksumHeader(one)] !== undefined);
  if (inHeader) return inHeader;
  const named = headers["x-amz-trailer"]?.trim().toLowerCase().replace("x-amz-checksum-", "").toUpperCase();
  const wanted = named ?? headers["x-amz-sdk-checksum-algorithm"]?.toUpperCase();
  if (wanted === undefined || isChecksumAlgorithm(wanted)) return wanted;
  throw new AwsFault(
    "NotImplemented",
    `The checksum algorithm ${wanted} is not implemented by the emulator.`,
  );
}

function checkedSum(call: S3Call, algorithm: ChecksumAlgorithm, digest: Digest): StoredChecksum {
  const name = toChecksumHeader(algorithm);
  const sent = call.request.headers[name] ?? call.body.trailer.get(name);
  const value = digest.base64();
  if (sent === undefined && call.request.headers["x-amz-trailer"] !== undefined) {
    throw new AwsFault(
      "MalformedTrailerError",
      "The request contained trailing data that was not well-formed or did not conform to our published schema.",
    );
  }
  if (sent !== undefined && sent !== value) {
    throw new AwsFault("BadDigest", `The ${algorithm} you specified did not match the calculated checksum.`);
  }
  return { algorithm, value, type: "FULL_OBJECT" };
}

function badMd5(expected: string, calculated: string): AwsFault {
  const bytes = Buffer.from(expected, "base64").length;
  if (bytes !== 16) return new AwsFault("InvalidDigest", "The Content-MD5 you specified was invalid.");
  return new AwsFault("BadDigest", "The Content-MD5 you specified did not match what we received.", {
    details: { ExpectedDigest: expected, CalculatedDigest: calculated },
  });
}
