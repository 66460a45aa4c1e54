import type { Account, Cloud } from "../aws/cloud.ts";
import type { BuiltImage } from "./built-image.ts";
import { findBundle, findShared, type StoredBundle } from "./stored-bundle.ts";
import { imagesOf } from "./survey.ts";

/** An image that shall go, or one that is gone already and left its bundle. */
export type Retiree = {
  readonly account: Account;
  readonly id: string | null;
  readonly name: string | null;
  /** `bucket/key` of its manifest. */
  readonly location: string;
  readonly isRegistered: boolean;
};

/** What goes with an image. */
export type Retirement = {
  readonly retiree: Retiree;
  /** The objects to delete; null: none are. */
  readonly bundle: StoredBundle | null;
  /** Why objects of the bundle stay; null: none do. */
  readonly kept: string | null;
};

/** What has to be deleted for these images to go, one after the other. Changes nothing. */
export async function toRetirements(
  cloud: Cloud,
  retirees: readonly Retiree[],
  { keepBundle }: { readonly keepBundle: boolean },
  signal: AbortSignal,
): Promise<readonly Retirement[]> {
  const registered = new Map<string, readonly BuiltImage[]>();
  const going = new Set<string | null>();
  const retirements: Retirement[] = [];
  for (const retiree of retirees) {
    const { account, id } = retiree;
    // What counts as gone already, and is registered all the same, is its own twin: its bundle stays.
    if (retiree.isRegistered) going.add(id);
    if (keepBundle) {
      retirements.push({ retiree, bundle: null, kept: "it shall be kept" });
      continue;
    }
    const key = JSON.stringify(account);
    const images = registered.get(key) ?? (await imagesOf(cloud, account, "any", signal));
    registered.set(key, images);
    const others = images.filter((image) => !going.has(image.id));
    retirements.push(await toRetirement(cloud, retiree, others, signal));
  }
  return retirements;
}

async function toRetirement(
  cloud: Cloud,
  retiree: Retiree,
  others: readonly BuiltImage[],
  signal: AbortSignal,
): Promise<Retirement> {
  const twin = others.find(({ location }) => location === retiree.location);
  if (twin !== undefined)
    return { retiree, bundle: null, kept: `image ${twin.id} is registered from it too` };
  const bundle = await findBundle(cloud, retiree.account, retiree.location, signal);
  if (bundle === null) return { retiree, bundle, kept: null };
  const shared = await findShared(bundle, others, signal);
  const [parts, manifests] = [bundle.parts, bundle.manifests].map((keys) =>
    keys.filter((key) => !shared.has(key)),
  ) as [string[], string[]];
  const all = [...bundle.parts, ...bundle.manifests];
  const [user] = all.flatMap((key) => shared.get(key) ?? []);
  const spared = all.length - parts.length - manifests.length;
  return {
    retiree,
    bundle: { ...bundle, parts, manifests },
    kept: user === undefined ? null : `${spared} of its objects are of image ${user.id} too`,
  };
}
