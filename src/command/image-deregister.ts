import type { Command } from "commander";
import { byHand } from "../aws/by-hand.ts";
import type { Account, Cloud } from "../aws/cloud.ts";
import type { BuiltImage } from "../image/built-image.ts";
import type { Resolved } from "../image/resolve.ts";
import type { Retiree, Retirement } from "../image/retirement.ts";
import { Problem } from "../problem.ts";
import type { Column } from "../report/table.ts";
import { addTalkOptions, notice, print } from "./bundle-options.ts";
import {
  type AwayOptions,
  addAwayOptions,
  planStream,
  takeAway,
  tellUnfinished,
  toAwayJson,
  toBundleWords,
} from "./image-away.ts";
import { addWhereOptions, tableWidth, type WhereOptions } from "./image-options.ts";
import { listen } from "./interrupt.ts";
import { openCloud } from "./store-options.ts";

type DeregisterOptions = WhereOptions &
  AwayOptions & { readonly bundle?: string; readonly force?: boolean; readonly result: string };

/** `imgspec image deregister`: an image and its bundle go together. */
export function addImageDeregister(image: Command, exit: (code: number) => void): void {
  const command = image
    .command("deregister")
    .description("Deregister images and delete their bundles in S3. What is in use is refused.")
    .argument("[ami...]", "the images' ids; their regions are looked up")
    .option("--bundle <s3://bucket/key>", "the manifest of a bundle whose image is deregistered already")
    .option(
      "--result <file>",
      "where the bundle of an image that is gone is looked up",
      "imgspec-result.json",
    )
    .option("--force", "also images that are in use");
  addTalkOptions(addAwayOptions(addWhereOptions(command)))
    .addHelpText(
      "after",
      `
Examples:
  imgspec image deregister ami-0123456789abcdef0 --dry-run
  imgspec image deregister ami-0123456789abcdef0 ami-0fedcba9876543210 --yes
  imgspec image deregister --bundle s3://acme-images/web/1/web.img.manifest.xml

First the image goes, then its parts, then its manifest. If that ends halfway, the same command again
finishes it where imgspec-result.json knows the image; elsewhere with --bundle, as the message says.
Objects that another registered image needs stay. Exit code 8: something is still there; it is listed.`,
    )
    .action(async (ids: readonly string[], options: DeregisterOptions) => exit(await act(ids, options)));
}

async function act(ids: readonly string[], options: DeregisterOptions): Promise<number> {
  const [{ toLocation }, { toAccounts }, { resolve }, { toRetirements }, { toRetiree }] = await Promise.all([
    import("../image/leftover.ts"),
    import("../image/survey.ts"),
    import("../image/resolve.ts"),
    import("../image/retirement.ts"),
    import("../image/review.ts"),
  ]);
  checkNamed(ids, options);
  using interrupt = listen();
  const { signal } = interrupt;
  const cloud = await openCloud(options);
  const { region: regions = [], profile } = options;
  const accounts = ids.length === 0 ? [] : await toAccounts(cloud, { regions, profile }, signal);
  const resolved = await resolve(cloud, accounts, ids, signal);
  const named = options.bundle === undefined ? undefined : toLocation(options.bundle);
  for (const image of resolved.images) checkFit(image, named);
  const retirees = [
    ...resolved.images.map(toRetiree),
    ...(await toGone(cloud, resolved, accounts, options, signal)),
  ];
  if (!options.force) await refuseUsed(cloud, resolved.images, signal);
  const keepBundle = options.keepBundle ?? false;
  const retirements = await toRetirements(cloud, retirees, { keepBundle }, signal);
  if (!keepBundle) refuseTwins(retirements);
  await showPlan(retirements, options);
  const retired = await takeAway(cloud, retirements, options, interrupt);
  const images = retirements.map((retirement, index) => toAwayJson(retirement, retired?.[index]));
  if (options.output === "json") print(options, { dryRun: options.dryRun ?? false, images }, () => "");
  if (retired === undefined) notice(options, "nothing is changed");
  return tellUnfinished(retired ?? [], options, interrupt);
}

function checkNamed(ids: readonly string[], { bundle, keepBundle, region = [] }: DeregisterOptions): void {
  if (ids.length === 0 && bundle !== undefined && keepBundle) {
    throw new Problem("usage-wrong", "--keep-bundle keeps all that --bundle names", {
      hint: "leave one of them out",
    });
  }
  if (bundle !== undefined && region.length > 1) {
    throw new Problem("usage-wrong", `--bundle is in one region, and ${region.length} are named`, {
      hint: "name that one only, or none: the bucket says where it is",
    });
  }
  if (ids.length === 0 && bundle === undefined) {
    throw new Problem("usage-wrong", "no image is named", {
      hint: "name it by its id, or with --bundle what an image has left; imgspec image list shows both",
    });
  }
  if (ids.length > 1 && bundle !== undefined) {
    throw new Problem("usage-wrong", `--bundle is of one image, and ${ids.length} are named`, {
      hint: "name that one only",
    });
  }
}

/** `named` is the location of the bundle that was named beside it. */
function checkFit(image: BuiltImage, named: string | undefined): void {
  const { account, id, location, rootDeviceType } = image;
  if (rootDeviceType !== "instance-store") {
    throw new Problem("usage-wrong", `image ${id} has no bundle: its root device is ${rootDeviceType}`, {
      hint: `${byHand(`ec2 deregister-image --image-id ${id}`, account)}; its snapshots are apart from it`,
    });
  }
  if (image.isProtected) {
    throw new Problem("image-in-use", `image ${id} in ${account.region} is protected from deregistration`, {
      hint: `take the protection away, and if it has a cooldown wait 24 hours: ${byHand(`ec2 disable-image-deregistration-protection --image-id ${id}`, account)}`,
    });
  }
  if (named !== undefined && named !== location) {
    throw new Problem(
      "usage-wrong",
      `image ${id} is not registered from s3://${named} but from s3://${location}`,
      {
        hint: "leave --bundle out",
      },
    );
  }
}

/** What the images that no region knows have left, as far as somebody says where. */
async function toGone(
  cloud: Cloud,
  { missing, failures }: Resolved,
  accounts: readonly Account[],
  { bundle, profile, region, result }: DeregisterOptions,
  signal: AbortSignal,
): Promise<readonly Retiree[]> {
  const [{ toMissing }, { findInResult, toLeftover }] = await Promise.all([
    import("../image/resolve.ts"),
    import("../image/leftover.ts"),
  ]);
  const [id] = missing;
  // An image of which a region could not be asked may well be registered.
  if (id !== undefined && failures.length > 0) throw toMissing(id, accounts, failures);
  if (bundle !== undefined && (id !== undefined || accounts.length === 0)) {
    const seeker = { profile, region: region?.[0] };
    return [await toLeftover(cloud, bundle, { id: id ?? null, seeker, signal })];
  }
  const gone = await Promise.all(missing.map((one) => findInResult(result, one, profile)));
  return gone.map((retiree, index) => {
    // Of a region that was not asked, nobody knows that it has the image no more.
    if (retiree !== undefined && accounts.some(({ region: asked }) => asked === retiree.account.region))
      return retiree;
    throw toMissing(missing[index] ?? "", accounts, failures);
  });
}

/** Nothing is done when one of them is in use. */
async function refuseUsed(cloud: Cloud, images: readonly BuiltImage[], signal: AbortSignal): Promise<void> {
  const { findUses, toUseWords } = await import("../image/uses.ts");
  const lines: string[] = [];
  for (const { account, id } of images) {
    const uses = (await findUses(cloud.account(account), [id], signal)).get(id) ?? [];
    if (uses.length > 0)
      lines.push(`${id} in ${account.region} is in use by ${uses.map(toUseWords).join(", ")}`);
  }
  if (lines.length === 0) return;
  throw new Problem("image-in-use", lines.join("; "), {
    hint: "end what uses it or give it another image first; --force deregisters it all the same",
  });
}

/** A bundle that was named by itself, and that an image is registered from, is no leftover. */
function refuseTwins(retirements: readonly Retirement[]): void {
  for (const { retiree, bundle, kept } of retirements) {
    if (retiree.isRegistered || bundle !== null || kept === null) continue;
    throw new Problem("image-in-use", `s3://${retiree.location} is needed: ${kept}`, {
      hint: "name that image, and its bundle goes with it",
    });
  }
}

const columns: readonly Column<Retirement>[] = [
  { title: "IMAGE", of: ({ retiree }) => (retiree.isRegistered ? (retiree.id ?? "-") : "gone already") },
  { title: "REGION", of: ({ retiree }) => retiree.account.region },
  { title: "NAME", of: ({ retiree }) => retiree.name ?? "-", goes: 0 },
  { title: "BUNDLE", of: toBundleWords, least: 30 },
];

async function showPlan(retirements: readonly Retirement[], options: DeregisterOptions): Promise<void> {
  const out = planStream(options);
  if (out === undefined) return;
  const { toTable } = await import("../report/table.ts");
  out.write(`${toTable(columns, retirements, tableWidth(out))}\n`);
}
