import { webcrypto } from "node:crypto";
import { createReadStream } from "node:fs";
import { join } from "node:path";
import { Problem } from "../problem.ts";
import { abortable } from "./abortable.ts";
import { type ManifestPart, partSizeBytes } from "./manifest.ts";

/** Opens a part of a bundle, wherever it is kept. */
export type OpenPart = (part: ManifestPart) => AsyncIterable<Uint8Array> | Promise<AsyncIterable<Uint8Array>>;

/** The parts that lie as files in a directory, under the names that the manifest gives them. */
export function partsIn(directory: string): OpenPart {
  return ({ fileName }) => createReadStream(join(directory, fileName), { highWaterMark: 1024 * 1024 });
}

/** The whole of a part, once its SHA-1 is as the manifest says; else the Problem `bundle-invalid`, naming the part. */
export async function readPart(
  part: ManifestPart,
  openPart: OpenPart,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const bytes = await readBytes(part, openPart, signal);
  // In libuv's pool: the main thread has the tar stream to digest.
  const sha1 = Buffer.from(await webcrypto.subtle.digest("SHA-1", bytes)).toString("hex");
  if (sha1 === part.sha1) return bytes;
  throw partProblem(part, `has SHA-1 ${sha1}, the manifest says ${part.sha1}`);
}

async function readBytes(part: ManifestPart, openPart: OpenPart, signal: AbortSignal): Promise<Uint8Array> {
  // Most parts are that large; of a smaller one's the rest is never touched, and so takes no memory.
  const bytes = Buffer.allocUnsafeSlow(partSizeBytes);
  let sizeBytes = 0;
  try {
    for await (const chunk of abortable(await openPart(part), signal)) {
      if (sizeBytes + chunk.length > partSizeBytes) throw partProblem(part, "is larger than 10 MiB");
      bytes.set(chunk, sizeBytes);
      sizeBytes += chunk.length;
    }
  } catch (cause) {
    if (signal.aborted || cause instanceof Problem) throw cause;
    throw partProblem(part, reasonOf(cause), cause);
  }
  return bytes.subarray(0, sizeBytes);
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return "cannot be read";
  return "code" in cause && cause.code === "ENOENT" ? "is missing" : `cannot be read: ${cause.message}`;
}

function partProblem({ index, fileName }: ManifestPart, what: string, cause?: unknown): Problem {
  return new Problem("bundle-invalid", `part ${index} (${fileName}) ${what}`, { cause });
}
