import type { Command } from "commander";
import type { Retired } from "../image/retire.ts";
import type { Reviewed } from "../image/review.ts";
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
import { toCount, toText } from "./options.ts";

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
    .option("--name-prefix <text>", "only images whose names begin so", toText)
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
  const { review } = await import("../image/review.ts");
  using interrupt = listen();
  const { signal } = interrupt;
  const { cloud, accounts, spec } = await toScope(path, options, signal);
  const { keepBundle = false, dryRun = false } = options;
  const retention = { keep, keepDays, now: new Date(), keepBundle };
  const { found, failures } = await review(cloud, accounts, { spec, namePrefix }, retention, signal);
  const retirements = found.flatMap(({ retirement }) => retirement ?? []);
  await showPlan(found, retirements.length, options);
  const retired = await takeAway(cloud, retirements, options, interrupt);
  if (options.output === "json") {
    const images = found.map((reviewed) => toJson(reviewed, retired));
    print(options, { dryRun, images, failures: failures.map(toFailureJson) }, () => "");
  }
  if (retired === undefined) notice(options, "nothing is changed");
  const unanswered = tellFailures(failures);
  return tellUnfinished(retired ?? [], options, interrupt) || unanswered;
}

function toJson({ verdict, retirement }: Reviewed, retired: readonly Retired[] | undefined): object {
  const { image, isKept, reasons } = verdict;
  return {
    ...toImageJson(image),
    verdict: isKept ? "keep" : "retire",
    reasons,
    ...(retirement === null
      ? {}
      : toAwayJson(
          retirement,
          retired?.find((one) => one.retirement === retirement),
        )),
  };
}

const columns: readonly Column<Reviewed>[] = [
  { title: "VERDICT", of: ({ verdict: { isKept } }) => (isKept ? "keep" : "retire") },
  { title: "IMAGE", of: ({ verdict: { image } }) => image.id },
  { title: "REGION", of: ({ verdict: { image } }) => image.account.region },
  { title: "CREATED", of: ({ verdict: { image } }) => toMinute(image.createdAt), goes: 2 },
  { title: "ARCH", of: ({ verdict: { image } }) => image.architecture, goes: 0 },
  { title: "SPEC", of: ({ verdict: { image } }) => toSpecWords(image.spec, image.variant), goes: 1 },
  { title: "WHY", of: ({ verdict: { reasons } }) => reasons.join("; "), least: 24 },
];

async function showPlan(reviewed: readonly Reviewed[], count: number, options: RetainOptions): Promise<void> {
  const out = planStream(options);
  if (out === undefined) return;
  const { toTable } = await import("../report/table.ts");
  if (reviewed.length > 0) out.write(`${toTable(columns, reviewed, tableWidth(out))}\n`);
  out.write(`${reviewed.length - count} kept, ${count} to retire\n`);
}
