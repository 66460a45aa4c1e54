import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { AccessKey } from "./authorization.ts";
import { type Authorization, checkSignature, type RawRequest } from "./authorization.ts";
import { decodeAwsChunked, type Trailer } from "./aws-chunked.ts";
import { AwsFault } from "./fault.ts";

/** A body whose bytes are what the sender signed, once it has been read to its end. */
export type SignedBody = {
  readonly bytes: AsyncIterable<Uint8Array>;
  /** Headers that came after the body; filled when it has been read. */
  readonly trailer: Trailer;
  /** As announced, without any encoding; undefined when it was not announced. */
  readonly sizeBytes: number | undefined;
};

const maxFormBytes = 4 * 1024 * 1024;

/** Reads the small body of a query API call and checks the signature over it. */
export async function readSignedForm(
  incoming: IncomingMessage,
  authorization: Authorization,
  request: RawRequest,
  keys: readonly AccessKey[],
): Promise<string> {
  const text = await readText(incoming, maxFormBytes);
  checkSignature(authorization, request, createHash("sha256").update(text).digest("hex"), keys);
  return text.toString("utf8");
}

/** Checks the signature of an S3 request and opens its body; a body that differs from what was signed throws at its end. */
export function openSignedBody(
  incoming: IncomingMessage,
  authorization: Authorization,
  request: RawRequest,
  keys: readonly AccessKey[],
): SignedBody {
  const declared = request.headers["x-amz-content-sha256"];
  if (declared === undefined && authorization.expiresSeconds === null) {
    throw new AwsFault("InvalidRequest", "Missing required header for this request: x-amz-content-sha256");
  }
  const payload = declared ?? "UNSIGNED-PAYLOAD";
  const key = checkSignature(authorization, request, payload, keys);
  const trailer: Trailer = new Map();
  if (payload.startsWith("STREAMING-")) {
    const signing = payload.startsWith("STREAMING-AWS4-HMAC-SHA256-PAYLOAD")
      ? { key, scope: authorization.scope, amzDate: authorization.amzDate, seed: authorization.signature }
      : undefined;
    if (!signing && payload !== "STREAMING-UNSIGNED-PAYLOAD-TRAILER") throw badPayload();
    const length = sizeOf(request.headers["x-amz-decoded-content-length"]);
    return { bytes: decodeAwsChunked(incoming, trailer, signing), trailer, sizeBytes: length };
  }
  const sizeBytes = sizeOf(request.headers["content-length"]);
  if (payload === "UNSIGNED-PAYLOAD") return { bytes: incoming, trailer, sizeBytes };
  if (!/^[0-9a-f]{64}$/.test(payload)) throw badPayload();
  return { bytes: hashed(incoming, payload), trailer, sizeBytes };
}

/** The whole of a stream, refused when it is longer than it may be. */
export async function readText(stream: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let total = 0;
  for await (const chunk of stream) {
    total += chunk.length;
    if (total > maxBytes)
      throw new AwsFault("RequestEntityTooLarge", "Request is too large", { status: 413 });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function* hashed(
  stream: AsyncIterable<Uint8Array>,
  expected: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  const hash = createHash("sha256");
  for await (const chunk of stream) {
    hash.update(chunk);
    yield chunk;
  }
  const computed = hash.digest("hex");
  if (computed === expected) return;
  throw new AwsFault(
    "XAmzContentSHA256Mismatch",
    "The provided 'x-amz-content-sha256' header does not match what was computed.",
    { details: { ClientComputedContentSHA256: expected, S3ComputedContentSHA256: computed } },
  );
}

function badPayload(): AwsFault {
  return new AwsFault(
    "InvalidArgument",
    "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, a STREAMING value or a valid sha256 value.",
  );
}

function sizeOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}
