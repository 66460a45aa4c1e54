import { type BuiltImage, newestFirst } from "./built-image.ts";
import { toUseWords, type Use } from "./uses.ts";

/** What is kept in any case: the newest of each kind, and, where days are said, all that are younger. */
export type Retention = { readonly keep: number; readonly keepDays: number | null };

/** What becomes of an image, and why, in words. */
export type Verdict = {
  readonly image: BuiltImage;
  readonly isKept: boolean;
  readonly reasons: readonly string[];
};

const dayMs = 24 * 60 * 60 * 1000;

/**
 * Which images stay. They are counted by region, spec, variant and architecture, only those that are available; what is
 * in use stays besides. Pure; the order is that of the kinds, the newest of each first.
 */
export function toVerdicts(
  images: readonly BuiltImage[],
  usesOf: (image: BuiltImage) => readonly Use[],
  retention: Retention,
  now: Date,
): readonly Verdict[] {
  const { keep, keepDays } = retention;
  const since = keepDays === null ? Number.POSITIVE_INFINITY : now.getTime() - keepDays * dayMs;
  return toKinds(images).flatMap((kind) => {
    const newest = new Set(kind.filter(({ state }) => state === "available").slice(0, keep));
    return kind.map((image): Verdict => {
      const reasons = [
        ...(newest.has(image) ? [keep === 1 ? "the newest" : `one of the newest ${keep}`] : []),
        ...(Date.parse(image.createdAt) >= since ? [`younger than ${toDays(keepDays)}`] : []),
        ...toKeepingReasons(image, usesOf(image)),
      ];
      return reasons.length > 0
        ? { image, isKept: true, reasons }
        : { image, isKept: false, reasons: toOldReasons(retention) };
    });
  });
}

/** Why an image stays, however old it is. */
function toKeepingReasons({ spec, state, isProtected }: BuiltImage, uses: readonly Use[]): readonly string[] {
  return [
    // Images of several specs would be counted as one kind.
    ...(spec === null ? ["of no known spec"] : []),
    ...(state === "available" ? [] : [`its state is ${state}`]),
    ...(isProtected ? ["protected from deregistration"] : []),
    ...uses.map((use) => `in use by ${toUseWords(use)}`),
  ];
}

function toOldReasons({ keep, keepDays }: Retention): readonly string[] {
  const newer = keep === 1 ? "there is a newer one" : `there are ${keep} newer ones`;
  return keepDays === null ? [newer] : [newer, `older than ${toDays(keepDays)}`];
}

function toDays(count: number | null): string {
  return count === 1 ? "a day" : `${count} days`;
}

function toKinds(images: readonly BuiltImage[]): readonly (readonly BuiltImage[])[] {
  const kinds = new Map<string, BuiltImage[]>();
  for (const image of images) {
    const { account, spec, variant, architecture } = image;
    const key = JSON.stringify([account.region, account.profile, spec, variant, architecture]);
    kinds.set(key, [...(kinds.get(key) ?? []), image]);
  }
  return [...kinds.values()].map((kind) => kind.sort(newestFirst));
}
