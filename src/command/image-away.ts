import type { Command } from "commander";
import type { Cloud } from "../aws/cloud.ts";
import type { Retired } from "../image/retire.ts";
import type { Retirement } from "../image/retirement.ts";
import { quote } from "../machine/quote.ts";
import { Problem } from "../problem.ts";
import { ask, canAsk } from "./ask.ts";
import type { TalkOptions } from "./bundle-options.ts";
import type { Interrupt } from "./interrupt.ts";

/** What every command takes that takes images away. */
export type AwayOptions = TalkOptions & {
  readonly keepBundle?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
};

/** What of the command line the same again must have. */
type AgainOptions = { readonly keepBundle?: boolean; readonly force?: boolean };

export function addAwayOptions(command: Command): Command {
  return command
    .option("--keep-bundle", "deregister only: the objects in S3 stay")
    .option("-n, --dry-run", "only say what would be done")
    .option("-y, --yes", "without asking");
}

/** Where the plan is shown: on stdout where it is all that is wanted, else beside the question; undefined: nowhere. */
export function planStream({ output, quiet, dryRun, yes }: AwayOptions): NodeJS.WriteStream | undefined {
  if (output === "text" && dryRun) return quiet ? undefined : process.stdout;
  // Who is asked must see what about, whatever else is not to be heard.
  const isAsked = !dryRun && !yes;
  return isAsked || (output === "text" && !quiet) ? process.stderr : undefined;
}

/** What became of each, or undefined where nobody wants it: a dry run, a no, nothing to do. */
export async function takeAway(
  cloud: Cloud,
  retirements: readonly Retirement[],
  options: AwayOptions,
  interrupt: Interrupt,
): Promise<readonly Retired[] | undefined> {
  if (retirements.length === 0 || options.dryRun || !(await isMeant(retirements, options, interrupt)))
    return undefined;
  const { retire } = await import("../image/retire.ts");
  const { signal, abandon } = interrupt;
  return retire(cloud, retirements, {
    signal,
    abandon,
    onRetired: (retired) => tellRetired(retired, options),
  });
}

async function isMeant(
  retirements: readonly Retirement[],
  { yes = false }: AwayOptions,
  interrupt: Interrupt,
): Promise<boolean> {
  if (yes) return true;
  const what = toCountWords(retirements);
  if (canAsk()) return /^y/i.test((await ask(`Take away ${what}? [y/N] `, interrupt)).trim());
  throw new Problem("usage-wrong", `${what} would go, and there is nobody to ask`, {
    hint: "add --yes to take them away without a question, or --dry-run to see what would go",
  });
}

/** `2 images and 13 objects in S3`. */
function toCountWords(retirements: readonly Retirement[]): string {
  const images = retirements.filter(({ retiree }) => retiree.isRegistered).length;
  const objects = retirements.reduce((sum, retirement) => sum + objectsOf(retirement), 0);
  const words = [
    ...(images > 0 ? [`${images} image${images === 1 ? "" : "s"}`] : []),
    `${objects} object${objects === 1 ? "" : "s"} in S3`,
  ];
  return words.join(" and ");
}

/** How many objects go with an image. */
function objectsOf({ bundle }: Retirement): number {
  return bundle === null ? 0 : bundle.parts.length + bundle.manifests.length;
}

/** What goes of a bundle and what stays, in words for a table. */
export function toBundleWords(retirement: Retirement): string {
  const { retiree, kept } = retirement;
  const count = objectsOf(retirement);
  const what =
    count === 0 ? "nothing there" : `${count} object${count === 1 ? "" : "s"} of s3://${retiree.location}`;
  if (kept === null) return what;
  return count === 0 ? `stays: ${kept}` : `${what}; ${kept}`;
}

function tellRetired(retired: Retired, { output, quiet = false }: AwayOptions): void {
  if (output === "json" || quiet || retired.image === "untouched") return;
  const { retirement, image, bundle } = retired;
  const { retiree, kept } = retirement;
  const objects = objectsOf(retirement);
  const ofBundle = {
    deleted: `${objects} object${objects === 1 ? "" : "s"} deleted`,
    kept: `the bundle stays: ${kept}`,
    missing: "nothing of its bundle is there",
    failed: "its bundle is NOT deleted",
    untouched: "its bundle is untouched",
  }[bundle];
  const ofImage = { deregistered: "deregistered", gone: "gone already", failed: "NOT deregistered" }[image];
  process.stdout.write(
    `${retiree.id ?? retiree.location} in ${retiree.account.region}: ${ofImage}, ${ofBundle}\n`,
  );
}

/** Says on stderr what could not be taken away and how to do it by hand, and gives the exit code. */
export function tellUnfinished(
  retired: readonly Retired[],
  options: AgainOptions,
  { signal }: Interrupt,
): number {
  for (const { failure, retirement } of retired) {
    if (failure === null) continue;
    const { problem, kind, id, region } = failure;
    process.stderr.write(`imgspec: ${kind} ${id} in ${region} is still there: ${problem.message}\n`);
    if (problem.hint) process.stderr.write(`  hint: ${problem.hint}\n`);
    process.stderr.write(`  again: ${toAgain(retirement, options)}\n  by hand: ${failure.byHand}\n`);
  }
  const untouched = retired.filter(({ image }) => image === "untouched").map(({ retirement }) => retirement);
  for (const { retiree } of untouched)
    process.stderr.write(
      `imgspec: untouched: ${retiree.id ?? retiree.location} in ${retiree.account.region}\n`,
    );
  if (signal.aborted) throw signal.reason;
  return retired.some(({ failure }) => failure !== null) ? 8 : 0;
}

/** The command that finishes it from anywhere: EC2 no longer knows where the bundle of a deregistered image is. */
function toAgain({ retiree: { id, location, account } }: Retirement, options: AgainOptions): string {
  const words = [
    id ?? [],
    options.keepBundle ? "--keep-bundle" : ["--bundle", `s3://${location}`],
    options.force ? "--force" : [],
    ["--region", account.region],
    account.profile === undefined ? [] : ["--profile", account.profile],
  ].flat();
  return `imgspec image deregister ${words.map(quote).join(" ")}`;
}

/** What became of an image, in JSON; `retired` is undefined where nothing was tried. */
export function toAwayJson(retirement: Retirement, retired: Retired | undefined): object {
  const { retiree, kept } = retirement;
  return {
    imageId: retiree.id,
    region: retiree.account.region,
    profile: retiree.account.profile ?? null,
    name: retiree.name,
    manifest: `s3://${retiree.location}`,
    objects: objectsOf(retirement),
    kept,
    outcome: { image: retired?.image ?? "untouched", bundle: retired?.bundle ?? "untouched" },
    failure:
      retired?.failure == null
        ? null
        : {
            kind: retired.failure.kind,
            id: retired.failure.id,
            code: retired.failure.problem.code,
            message: retired.failure.problem.message,
            hint: retired.failure.problem.hint ?? null,
            byHand: retired.failure.byHand,
          },
  };
}
