import type { Command } from "commander";
import type { BuiltImage } from "../image/built-image.ts";
import type { Column } from "../report/table.ts";
import { addTalkOptions, notice, print, type TalkOptions } from "./bundle-options.ts";
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

type ListOptions = SpecWhereOptions & TalkOptions & { readonly all?: boolean; readonly namePrefix?: string };

/** `imgspec image list`: what imgspec built, in every region. */
export function addImageList(image: Command, exit: (code: number) => void): void {
  const command = addSpecWhereOptions(
    image
      .command("list")
      .description("List the images of the account that imgspec built, region by region, the newest first."),
  )
    .option("--name-prefix <text>", "only images whose names begin so")
    .option("--all", "every S3-backed image of the account, whatever built it");
  addTalkOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  imgspec image list
  imgspec image list image.yaml
  imgspec image list --region us-east-1 --region eu-west-1 --all --output json

All regions are asked at once. One that does not answer is told on stderr and by the exit code; the
others are listed. Without a spec they are those that the account has enabled in the partition of its
credentials: for China and GovCloud give --profile, or a spec that names the profiles.`,
    )
    .action(async (path: string | undefined, options: ListOptions) => exit(await act(path, options)));
}

async function act(path: string | undefined, options: ListOptions): Promise<number> {
  const [{ findImages }, { isMeant }, { toTable }] = await Promise.all([
    import("../image/survey.ts"),
    import("../image/review.ts"),
    import("../report/table.ts"),
  ]);
  using interrupt = listen();
  const { signal } = interrupt;
  const { cloud, accounts, spec } = await toScope(path, options, signal);
  const kind = options.all ? "any" : "built";
  const { found, failures } = await findImages(cloud, accounts, kind, signal);
  const selection = { spec, namePrefix: options.namePrefix ?? null };
  const images = found.filter((one) => isMeant(selection, one));
  const result = { images: images.map(toImageJson), failures: failures.map(toFailureJson) };
  if (images.length > 0 || options.output === "json")
    print(options, result, () => toTable(columns, images, tableWidth(process.stdout)));
  const where = accounts.length === 1 ? accounts[0]?.region : `${accounts.length} regions`;
  if (images.length === 0) notice(options, `no images in ${where}`);
  return tellFailures(failures);
}

const columns: readonly Column<BuiltImage>[] = [
  { title: "IMAGE", of: ({ id }) => id },
  { title: "REGION", of: ({ account }) => account.region },
  { title: "CREATED", of: ({ createdAt }) => toMinute(createdAt), goes: 3 },
  { title: "STATE", of: ({ state }) => state, goes: 2 },
  { title: "ARCH", of: ({ architecture }) => architecture, goes: 0 },
  { title: "SPEC", of: ({ spec, variant }) => toSpecWords(spec, variant), goes: 1 },
  { title: "NAME", of: ({ name }) => name, least: 12 },
];
