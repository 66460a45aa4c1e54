import type { Command } from "commander";
import type { Verdict } from "../image/retention.ts";
import type { Retired } from "../image/retire.ts";
import type { Retirement } from "../image/retirement.ts";
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
} from "./image-away.ts";
import {
  addSpecWhereOptions,
  type SpecWhereOptions,
  tableWidth,
  tellFailures,
  toFailureJson,
  toImageJson,
  toMinute,
  toScope,
  toSpecWords,
} from "./image-options.ts";
import { listen } from "./interrupt.ts";
import { toCount } from "./options.ts";

type RetainOptions = SpecWhereOptions &
  AwayOptions & { readonly namePrefix?: string; readonly keep: number; readonly keepDays?: number };

/** `imgspec image retain`: old images go, whatever is in use stays. */
export function addImageRetain(image: Command, exit: (code: number) => void): void {
  const command = addSpecWhereOptions(
    image
      .command("retain")
      .description(
        "Keep the newest images of a spec, and take the older ones away with their bundles. " +
          "What is in use stays.",
      ),
  )
    .option("--name-prefix <text>", "only images whose names begin so")
    .requiredOption(
      "--keep <count>",
      "so many of the newest, of each variant and architecture in each region",
      toCount,
    )
    .option("--keep-days <days>", "besides, every image that is younger", toCount);
  addTalkOptions(addAwayOptions(command))
    .addHelpText(
      "after",
      `
Examples:
  imgspec image retain image.yaml --keep 3 --dry-run
  imgspec image retain image.yaml --keep 3 --keep-days 30 --yes
  imgspec image retain --spec web-base --keep 5 --region us-east-1 --yes

Only images that imgspec built are looked at. One stays when an instance of it is not terminated, or when
the default or latest version of a launch template names it. In a region that does not answer nothing goes.
A dry run prints the very plan: every image, whether it stays, and why.`,
    )
    .action(async (path: string | undefined, options: RetainOptions) => exit(await act(path, options)));
}

async function act(path: string | undefined, options: RetainOptions): Promise<number> {
  const { keep, keepDays = null, namePrefix = null } = options;
  if (path === undefined && options.spec === undefined && namePrefix === null) {
    throw new Problem("usage-wrong", "nothing says which images are meant", {
      hint: "give a spec's file, or --spec NAME, or --name-prefix TEXT",
    });
  }
  const [{ review }, { toRetirements }] = await Promise.all([
    import("../image/review.ts"),
    import("../image/retirement.ts"),
  ]);
  using interrupt = listen();
  const { signal } = interrupt;
  const { cloud, accounts, spec } = await toScope(path, options, signal);
  const retention = { keep, keepDays, now: new Date() };
  const { found, failures } = await review(cloud, accounts, { spec, namePrefix }, retention, signal);
  const retirees = found
    .filter(({ isKept }) => !isKept)
    .map(({ image: { account, id, name, location } }) => ({
      account,
      id,
      name,
      location,
      isRegistered: true,
    }));
  const keepBundle = options.keepBundle ?? false;
  const retirements = await toRetirements(cloud, retirees, { keepBundle }, signal);
  await showPlan(found, retirements.length, options);
  const retired = await takeAway(cloud, retirements, options, interrupt);
  if (options.output === "json") {
    const images = found.map((verdict) => toJson(verdict, retirements, retired));
    const dryRun = options.dryRun ?? false;
    print(options, { dryRun, images, failures: failures.map(toFailureJson) }, () => "");
  }
  if (retired === undefined) notice(options, "nothing is changed");
  const unanswered = tellFailures(failures);
  return tellUnfinished(retired ?? [], interrupt) || unanswered;
}

function toJson(
  { image, isKept, reasons }: Verdict,
  retirements: readonly Retirement[],
  retired: readonly Retired[] | undefined,
): object {
  const index = retirements.findIndex(
    ({ retiree }) => retiree.id === image.id && retiree.account.region === image.account.region,
  );
  const retirement = retirements[index];
  return {
    ...toImageJson(image),
    verdict: isKept ? "keep" : "retire",
    reasons,
    ...(retirement === undefined ? {} : toAwayJson(retirement, retired?.[index])),
  };
}

const columns: readonly Column<Verdict>[] = [
  { title: "VERDICT", of: ({ isKept }) => (isKept ? "keep" : "retire") },
  { title: "IMAGE", of: ({ image }) => image.id },
  { title: "REGION", of: ({ image }) => image.account.region },
  { title: "CREATED", of: ({ image }) => toMinute(image.createdAt), goes: 2 },
  { title: "ARCH", of: ({ image }) => image.architecture, goes: 0 },
  { title: "SPEC", of: ({ image }) => toSpecWords(image.spec, image.variant), goes: 1 },
  { title: "WHY", of: ({ reasons }) => reasons.join("; "), least: 24 },
];

async function showPlan(verdicts: readonly Verdict[], count: number, options: RetainOptions): Promise<void> {
  const out = planStream(options);
  if (out === undefined) return;
  const { toTable } = await import("../report/table.ts");
  if (verdicts.length > 0) out.write(`${toTable(columns, verdicts, tableWidth(out))}\n`);
  out.write(`${verdicts.length - count} kept, ${count} to retire\n`);
}
