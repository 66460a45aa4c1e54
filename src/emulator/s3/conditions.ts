import { AwsFault } from "../fault.ts";
import type { StoredObject } from "./object.ts";
import type { S3Call } from "./s3-call.ts";

/** False: the caller has it already (304). Throws 412 where what the caller relies on is not so. */
export function checkConditions({ request: { headers } }: S3Call, object: StoredObject): boolean {
  const match = headers["if-match"];
  if (match !== undefined && !hasTag(match, object.etag)) throw failed("If-Match");
  const unmodifiedSince = toTime(headers["if-unmodified-since"]);
  const modified = Math.floor(Date.parse(object.modifiedAt) / 1000) * 1000;
  if (match === undefined && unmodifiedSince !== undefined && modified > unmodifiedSince) {
    throw failed("If-Unmodified-Since");
  }
  const noneMatch = headers["if-none-match"];
  if (noneMatch !== undefined) return !hasTag(noneMatch, object.etag);
  const modifiedSince = toTime(headers["if-modified-since"]);
  return modifiedSince === undefined || modified > modifiedSince;
}

/** The stretch that a Range header asks for, both ends counted in; `undefined` for the whole. */
export function toRange(
  header: string | undefined,
  sizeBytes: number,
): { readonly start: number; readonly end: number } | undefined {
  // What is no single range of bytes is passed over, as HTTP wants it.
  const found = header?.match(/^bytes=(\d*)-(\d*)$/);
  const [, first = "", last = ""] = found ?? [];
  if (!found || (first === "" && last === "")) return undefined;
  const start = first === "" ? Math.max(0, sizeBytes - Number(last)) : Number(first);
  const end = first === "" || last === "" ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1);
  if (start >= sizeBytes || end < start) {
    throw new AwsFault("InvalidRange", "The requested range is not satisfiable", {
      details: { RangeRequested: header ?? "", ActualObjectSize: String(sizeBytes) },
    });
  }
  return { start, end };
}

function hasTag(header: string, etag: string): boolean {
  const tags = header.split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  return tags.some((tag) => tag === "*" || tag === etag || `"${tag}"` === etag);
}

function toTime(date: string | undefined): number | undefined {
  const time = Date.parse(date ?? "");
  return Number.isNaN(time) ? undefined : time;
}

function failed(condition: string): AwsFault {
  return new AwsFault("PreconditionFailed", "At least one of the pre-conditions you specified did not hold", {
    details: { Condition: condition },
  });
}
