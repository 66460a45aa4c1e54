import { byHand } from "../aws/by-hand.ts";
import type { Account } from "../aws/cloud.ts";
import { quote } from "../machine/quote.ts";

/** S3's own limit (DeleteObjects); a bundle of 10 GiB has more. */
const deletedAtOnce = 1000;

/**
 * The command that deletes these objects. Each by its name: beside them, under the same prefix, may lie the bundles of
 * other images.
 */
export function deleteByHand(account: Account, bucket: string, keys: readonly string[]): string {
  const batches = Array.from({ length: Math.ceil(keys.length / deletedAtOnce) }, (_, index) =>
    keys.slice(index * deletedAtOnce, (index + 1) * deletedAtOnce),
  );
  return batches
    .map((batch) => quote(JSON.stringify({ Objects: batch.map((Key) => ({ Key })), Quiet: true })))
    .map((what) => byHand(`s3api delete-objects --bucket ${bucket} --delete ${what}`, account))
    .join(" && ");
}
