import type { Account, Cloud } from "../aws/cloud.ts";
import type { BuiltImage } from "./built-image.ts";
import { type Retention, toVerdicts, type Verdict } from "./retention.ts";
import { type Retiree, type Retirement, toRetirements } from "./retirement.ts";
import { imagesOf, type Survey, survey } from "./survey.ts";
import { findUses } from "./uses.ts";

/** Which of the images that imgspec built are meant; what is null is not asked for. */
export type Selection = { readonly spec: string | null; readonly namePrefix: string | null };

/** What is to become of an image; `retirement` is null for one that stays. */
export type Reviewed = { readonly verdict: Verdict; readonly retirement: Retirement | null };

/** Whether an image is meant. */
export function isMeant({ spec, namePrefix }: Selection, image: BuiltImage): boolean {
  return (spec === null || image.spec === spec) && (namePrefix === null || image.name.startsWith(namePrefix));
}

/**
 * What is to become of the instance store images that are meant, and of their bundles. Changes nothing. Of a region in
 * which one of the questions got no answer there are no verdicts, but a failure: nothing shall go there.
 */
export function review(
  cloud: Cloud,
  accounts: readonly Account[],
  selection: Selection,
  retention: Retention & { readonly now: Date; readonly keepBundle: boolean },
  signal: AbortSignal,
): Promise<Survey<Reviewed>> {
  return survey(
    accounts,
    async (account, own) => {
      const all = await imagesOf(cloud, account, "built", own);
      const images = all.filter(
        (image) => image.rootDeviceType === "instance-store" && isMeant(selection, image),
      );
      const ids = images.map(({ id }) => id);
      const uses = await findUses(cloud.account(account), ids, own);
      const verdicts = toVerdicts(images, ({ id }) => uses.get(id) ?? [], retention, retention.now);
      const retirees = verdicts.flatMap(({ image, isKept }) => (isKept ? [] : [toRetiree(image)]));
      const retirements = await toRetirements(cloud, retirees, retention, own);
      return verdicts.map((verdict) => ({
        verdict,
        retirement: retirements.find(({ retiree }) => retiree.id === verdict.image.id) ?? null,
      }));
    },
    signal,
  );
}

/** A registered image as one that shall go. */
export function toRetiree({ account, id, name, location }: BuiltImage): Retiree {
  return { account, id, name, location, isRegistered: true };
}
