import { createHash, createHmac, timingSafeEqual } from "node:crypto";

/** For whom a signing key holds: date as YYYYMMDD, region, service. */
export type SignatureScope = { readonly date: string; readonly region: string; readonly service: string };

/** What of a request goes into its signature (AWS Signature Version 4). */
export type Signable = {
  readonly method: string;
  /** The path as it was sent, percent-encoded. */
  readonly path: string;
  readonly query: readonly (readonly [string, string])[];
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly signedHeaders: readonly string[];
  readonly payloadHash: string;
};

/** The key of one day, region and service. */
export function toSigningKey(secret: string, { date, region, service }: SignatureScope): Buffer {
  return [date, region, service, "aws4_request"].reduce<Buffer>(
    (key, part) => hmac(key, part),
    Buffer.from(`AWS4${secret}`),
  );
}

/** The signature of a request, in hex. */
export function toSignature(key: Buffer, scope: SignatureScope, amzDate: string, request: Signable): string {
  const text = ["AWS4-HMAC-SHA256", amzDate, toScopeText(scope), sha256(toCanonicalRequest(request))].join(
    "\n",
  );
  return hmac(key, text).toString("hex");
}

/** The signature of one chunk of a body, in hex; each one signs the one before it. */
export function toChunkSignature(
  key: Buffer,
  chunk: { scope: SignatureScope; amzDate: string; previous: string; hash: string; trailer: boolean },
): string {
  const head = chunk.trailer ? "AWS4-HMAC-SHA256-TRAILER" : "AWS4-HMAC-SHA256-PAYLOAD";
  const common = [head, chunk.amzDate, toScopeText(chunk.scope), chunk.previous];
  return hmac(key, [...common, ...(chunk.trailer ? [] : [sha256("")]), chunk.hash].join("\n")).toString(
    "hex",
  );
}

/** Compares without telling how much of it was right. */
export function isSameSignature(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}

/** SHA-256 in hex. */
export function sha256(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

function toCanonicalRequest({ method, path, query, headers, signedHeaders, payloadHash }: Signable): string {
  return [
    method,
    path.split("/").map(recode).join("/"),
    query
      .map(([name, value]) => `${encode(name)}=${encode(value)}`)
      .sort(byCodePoint)
      .join("&"),
    ...signedHeaders.map((name) => `${name}:${(headers[name] ?? "").trim().replaceAll(/ +/g, " ")}`),
    "",
    signedHeaders.join(";"),
    payloadHash,
  ].join("\n");
}

function toScopeText({ date, region, service }: SignatureScope): string {
  return `${date}/${region}/${service}/aws4_request`;
}

/** Sorting whole `name=value` pairs would put `a-b=` before `a=`, so the names are compared first. */
function byCodePoint(a: string, b: string): number {
  const [left = "", right = ""] = [a.split("=")[0], b.split("=")[0]];
  if (left !== right) return left < right ? -1 : 1;
  return a < b ? -1 : Number(a > b);
}

function recode(segment: string): string {
  try {
    return encode(decodeURIComponent(segment));
  } catch {
    return encode(segment);
  }
}

function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
