import type { CannedAcl } from "./bucket.ts";
import type { ChecksumAlgorithm } from "./checksum.ts";

export type StoredObject = {
  readonly key: string;
  /** The name of the file that holds its bytes; every write makes a new one. */
  readonly file: string;
  readonly sizeBytes: number;
  /** With its quotes. */
  readonly etag: string;
  readonly modifiedAt: string;
  readonly acl: CannedAcl;
  readonly checksum: StoredChecksum | null;
  readonly headers: ObjectHeaders;
};

export type StoredChecksum = {
  readonly algorithm: ChecksumAlgorithm;
  /** Base64, with `-N` behind it when it is made of the checksums of N parts. */
  readonly value: string;
  readonly type: "FULL_OBJECT" | "COMPOSITE";
};

/** Headers that S3 keeps with an object and gives back as they were. */
export type ObjectHeaders = Readonly<Record<string, string>>;

const keptHeaders = [
  "content-type",
  "content-encoding",
  "content-language",
  "content-disposition",
  "cache-control",
  "expires",
];

/** The headers of a write that are kept. */
export function toKeptHeaders(headers: Readonly<Record<string, string | undefined>>): ObjectHeaders {
  const kept: Record<string, string> = { "content-type": "binary/octet-stream" };
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && (keptHeaders.includes(name) || name.startsWith("x-amz-meta-")))
      kept[name] = value;
  }
  // aws-chunked belongs to the transfer, not to the object.
  const encoding = (kept["content-encoding"] ?? "").split(",").map((one) => one.trim());
  const rest = encoding.filter((one) => one !== "" && one !== "aws-chunked").join(",");
  if (rest === "") delete kept["content-encoding"];
  else kept["content-encoding"] = rest;
  return kept;
}
