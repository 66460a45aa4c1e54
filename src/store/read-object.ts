import { setTimeout as sleep } from "node:timers/promises";
import { isPassing } from "../aws/fault-problem.ts";
import type { ObjectName, Provider } from "../aws/provider.ts";
import { Problem } from "../problem.ts";

/** Requests are tried again by the SDK; this is for answers that break off in their middle. */
const tries = 4;
const firstPauseMs = 250;

/**
 * The whole of an object. One that breaks off on its way is fetched again from its start. More than `largestBytes` is
 * the Problem `bundle-invalid`, and is not read to its end.
 */
export async function readObject(
  provider: Provider,
  where: ObjectName,
  largestBytes: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await readOnce(provider, where, largestBytes, signal);
    } catch (error) {
      if (tried === tries || signal.aborted || !isPassing(error)) throw error;
    }
    await sleep(firstPauseMs * 2 ** tried, undefined, { signal });
  }
}

async function readOnce(
  provider: Provider,
  where: ObjectName,
  largestBytes: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of await provider.getObject(where, signal)) {
    const bytes = chunk as Uint8Array;
    sizeBytes += bytes.length;
    if (sizeBytes > largestBytes) {
      const url = `s3://${where.bucket}/${where.key}`;
      throw new Problem("bundle-invalid", `${url} is larger than the ${largestBytes} bytes that it may have`);
    }
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}
