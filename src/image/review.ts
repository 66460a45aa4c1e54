import type { Account, Cloud } from "../aws/cloud.ts";
import type { BuiltImage } from "./built-image.ts";
import { type Retention, toVerdicts, type Verdict } from "./retention.ts";
import { imagesOf, type Survey, survey } from "./survey.ts";
import { findUses } from "./uses.ts";

/** Which of the images that imgspec built are meant; what is null is not asked for. */
export type Selection = { readonly spec: string | null; readonly namePrefix: string | null };

/** Whether an image is meant. */
export function isMeant({ spec, namePrefix }: Selection, image: BuiltImage): boolean {
  return (spec === null || image.spec === spec) && (namePrefix === null || image.name.startsWith(namePrefix));
}

/**
 * What is to become of the instance store images that are meant. Changes nothing. Of a region in which somebody could
 * not be asked whether they use an image there are no verdicts, but a failure.
 */
export function review(
  cloud: Cloud,
  accounts: readonly Account[],
  selection: Selection,
  retention: Retention & { readonly now: Date },
  signal: AbortSignal,
): Promise<Survey<Verdict>> {
  return survey(
    accounts,
    async (account, own) => {
      const all = await imagesOf(cloud, account, "built", own);
      const images = all.filter(
        (image) => image.rootDeviceType === "instance-store" && isMeant(selection, image),
      );
      const ids = images.map(({ id }) => id);
      const uses = await findUses(cloud.account(account), ids, own);
      return toVerdicts(images, ({ id }) => uses.get(id) ?? [], retention, retention.now);
    },
    signal,
  );
}
