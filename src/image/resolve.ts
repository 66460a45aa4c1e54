import type { Account, Cloud } from "../aws/cloud.ts";
import { Problem } from "../problem.ts";
import type { BuiltImage } from "./built-image.ts";
import { findByIds, type SurveyFailure } from "./survey.ts";

/** The caller's images of some ids, and the ids that no region knows. */
export type Resolved = {
  readonly images: readonly BuiltImage[];
  readonly missing: readonly string[];
  readonly failures: readonly SurveyFailure[];
};

/** Looks for images in all of these regions at once; the order is that of the ids. */
export async function resolve(
  cloud: Cloud,
  accounts: readonly Account[],
  ids: readonly string[],
  signal: AbortSignal,
): Promise<Resolved> {
  const strange = ids.find((id) => !/^ami-([0-9a-f]{8}|[0-9a-f]{17})$/.test(id));
  if (strange !== undefined) {
    throw new Problem("usage-wrong", `"${strange}" is not the id of an image`, {
      hint: 'it is "ami-" and 8 or 17 hexadecimal digits; imgspec image list shows them',
    });
  }
  const wanted = [...new Set(ids)];
  if (wanted.length === 0) return { images: [], missing: [], failures: [] };
  const { found, failures } = await findByIds(cloud, accounts, wanted, signal);
  const images = wanted.flatMap((id) => found.find((image) => image.id === id) ?? []);
  return { images, failures, missing: wanted.filter((id) => !images.some((image) => image.id === id)) };
}

/** The Problem that an image is nowhere; or why that cannot be said, since a region did not answer. */
export function toMissing(
  id: string,
  accounts: readonly Account[],
  failures: readonly SurveyFailure[],
): Problem {
  const regions = accounts.length === 1 ? (accounts[0]?.region ?? "") : `any of ${accounts.length} regions`;
  const silent = failures.map(({ account, problem }) => `${account.region} (${problem.message})`);
  return new Problem("image-missing", `the account has no image ${id} in ${regions}`, {
    hint:
      silent.length > 0
        ? `no answer from ${silent.join(", ")}`
        : "imgspec image list --all shows what there is; if its bundle is left, name that with --bundle s3://BUCKET/KEY",
  });
}
