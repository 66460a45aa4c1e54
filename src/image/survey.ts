import { setMaxListeners } from "node:events";
import pLimit from "p-limit";
import type { Account, Cloud } from "../aws/cloud.ts";
import type { ImageQuery } from "../aws/provider.ts";
import { Problem } from "../problem.ts";
import { toAccount } from "../store/locate.ts";
import { type BuiltImage, newestFirst, runTag, toBuiltImage } from "./built-image.ts";

/** What the regions answered, and why some did not. */
export type Survey<T> = { readonly found: readonly T[]; readonly failures: readonly SurveyFailure[] };

export type SurveyFailure = { readonly account: Account; readonly problem: Problem };

/** A partition has some thirty regions; each is a connection of its own. */
const regionsAtOnce = 16;

/** Asks every region, side by side. A region that fails hides none of the others; the order is that of the accounts. */
export async function survey<T>(
  accounts: readonly Account[],
  ask: (account: Account, signal: AbortSignal) => Promise<readonly T[]>,
  signal: AbortSignal,
): Promise<Survey<T>> {
  const own = AbortSignal.any([signal]);
  // Each of the many waits on it, which Node would take for a leak.
  setMaxListeners(0, own);
  const limit = pLimit(regionsAtOnce);
  const answers = await Promise.all(
    accounts.map((account) =>
      limit(async (): Promise<Survey<T>> => {
        try {
          signal.throwIfAborted();
          return { found: await ask(account, own), failures: [] };
        } catch (problem) {
          if (signal.aborted || !(problem instanceof Problem)) throw problem;
          return { found: [], failures: [{ account, problem }] };
        }
      }),
    ),
  );
  return {
    found: answers.flatMap(({ found }) => found),
    failures: answers.flatMap(({ failures }) => failures),
  };
}

/** The regions to ask: these, or all that the account has enabled in the partition that its credentials reach. */
export async function toAccounts(
  cloud: Cloud,
  { regions, profile }: { readonly regions: readonly string[]; readonly profile?: string | undefined },
  signal: AbortSignal,
): Promise<readonly Account[]> {
  const home = await toAccount(cloud, { profile });
  const names = regions.length > 0 ? [...new Set(regions)] : await cloud.account(home).regions(signal);
  return names.map((region) => ({ ...home, region }));
}

/** Which of the caller's images: those that imgspec built, or every one with a bundle. */
export type Kind = "built" | "any";

const queries: Readonly<Record<Kind, ImageQuery>> = {
  built: { owners: ["self"], filters: { "tag-key": [runTag] } },
  any: { owners: ["self"], filters: { "root-device-type": ["instance-store"] } },
};

/** The caller's images in these regions: region by region, the newest first. */
export function findImages(
  cloud: Cloud,
  accounts: readonly Account[],
  kind: Kind,
  signal: AbortSignal,
): Promise<Survey<BuiltImage>> {
  return survey(accounts, (account, own) => imagesOf(cloud, account, kind, own), signal);
}

/** The caller's images of these ids, wherever they are: an id is there in one region only. */
export function findByIds(
  cloud: Cloud,
  accounts: readonly Account[],
  ids: readonly string[],
  signal: AbortSignal,
): Promise<Survey<BuiltImage>> {
  // As a filter, what is not there finds nothing; as `ids` it would be an error in all regions but one.
  const query: ImageQuery = { owners: ["self"], filters: { "image-id": ids } };
  return survey(accounts, (account, own) => imagesOf(cloud, account, query, own), signal);
}

/** The caller's images of one region, the newest first. */
export async function imagesOf(
  cloud: Cloud,
  account: Account,
  query: Kind | ImageQuery,
  signal: AbortSignal,
): Promise<readonly BuiltImage[]> {
  const asked = typeof query === "string" ? queries[query] : query;
  const images = await cloud.account(account).findImages({ ...asked, disabledToo: true }, signal);
  return images.map((image) => toBuiltImage(account, image)).sort(newestFirst);
}
