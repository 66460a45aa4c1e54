import type { Command } from "commander";
import type { BuiltImage } from "../image/built-image.ts";
import type { StoredBundle } from "../image/stored-bundle.ts";
import type { Use } from "../image/uses.ts";
import { addTalkOptions, print, type TalkOptions } from "./bundle-options.ts";
import { addWhereOptions, toImageJson, toSpecWords, type WhereOptions } from "./image-options.ts";
import { listen } from "./interrupt.ts";
import { openCloud } from "./store-options.ts";

type ShowOptions = WhereOptions & TalkOptions;

/** `imgspec image show`: all that hangs on one image. */
export function addImageShow(image: Command, exit: (code: number) => void): void {
  const command = image
    .command("show")
    .description("Print what an image is, where its bundle lies, whom it is shared with and who uses it.")
    .argument("<ami>", "the image's id; its region is looked up");
  addTalkOptions(addWhereOptions(command))
    .addHelpText(
      "after",
      `
Examples:
  imgspec image show ami-0123456789abcdef0
  imgspec image show ami-0123456789abcdef0 --region us-east-1 --output json`,
    )
    .action(async (id: string, options: ShowOptions) => exit(await act(id, options)));
}

/** What there is beside the image's own facts. */
type Around = {
  /** Null: nothing of it is there, or the image has none. */
  readonly bundle: StoredBundle | null;
  readonly sharedWith: readonly string[];
  readonly uses: readonly Use[];
};

async function act(id: string, options: ShowOptions): Promise<number> {
  const [{ resolve, toMissing }, { toAccounts }, { findUses, toUseWords }, { findBundle }, { toSize }] =
    await Promise.all([
      import("../image/resolve.ts"),
      import("../image/survey.ts"),
      import("../image/uses.ts"),
      import("../image/stored-bundle.ts"),
      import("../report/format.ts"),
    ]);
  using interrupt = listen();
  const { signal } = interrupt;
  const cloud = await openCloud(options);
  const accounts = await toAccounts(cloud, { ...options, regions: options.region ?? [] }, signal);
  const { images, failures } = await resolve(cloud, accounts, [id], signal);
  const [image] = images;
  if (image === undefined) throw toMissing(id, accounts, failures);
  const provider = cloud.account(image.account);
  const [bundle, sharedWith, uses] = await Promise.all([
    image.location === "" ? null : findBundle(cloud, image.account, image.location, signal),
    provider.launchPermissions(id, signal),
    findUses(provider, [id], signal),
  ]);
  const around = { bundle, sharedWith, uses: uses.get(id) ?? [] };
  print(options, toJson(image, around), () => toText(image, around, toUseWords, toSize));
  return 0;
}

function toJson(image: BuiltImage, { bundle, sharedWith, uses }: Around): object {
  return {
    ...toImageJson(image),
    tags: image.tags,
    bundle: {
      hasManifest: (bundle?.manifests.length ?? 0) > 0,
      parts: bundle?.parts.length ?? 0,
      listedParts: bundle?.partCount ?? null,
      sizeBytes: bundle?.sizeBytes ?? 0,
    },
    sharedWith,
    uses,
  };
}

function toText(
  image: BuiltImage,
  { bundle, sharedWith, uses }: Around,
  toUseWords: (use: Use) => string,
  toSize: (bytes: number) => string,
): string {
  const { account, id, name, spec, variant, run, state, createdAt, location } = image;
  const others = Object.entries(image.tags).filter(([key]) => !key.startsWith("imgspec:"));
  const rows: readonly (readonly [string, string | null])[] = [
    ["image", `${id} in ${account.region}`],
    ["name", name],
    ["spec", spec === null ? null : toSpecWords(spec, variant)],
    ["run", run ?? "none: imgspec did not build it"],
    ["state", `${state}, registered ${createdAt}`],
    ["protected", image.isProtected ? "from deregistration" : null],
    ["kind", `${image.architecture}, ${image.virtualization}, ${image.rootDeviceType}`],
    ["manifest", location === "" ? null : `s3://${location}`],
    ["bundle", location === "" ? null : toBundleWords(bundle, toSize)],
    ["shared with", sharedWith.length === 0 ? "nobody" : sharedWith.join(", ")],
    ...(uses.length === 0 ? [["used by", "nobody"] as const] : []),
    ...uses.map((use) => ["used by", toUseWords(use)] as const),
    ...others.map(([key, value]) => ["tag", `${key} = ${value}`] as const),
  ];
  return rows
    .flatMap(([label, value]) => (value === null ? [] : [`${label.padEnd(12)} ${value}`]))
    .join("\n");
}

function toBundleWords(bundle: StoredBundle | null, toSize: (bytes: number) => string): string {
  const parts = bundle?.parts.length ?? 0;
  const manifests = bundle?.manifests.length ?? 0;
  if (bundle === null || parts + manifests === 0) return "GONE: the image cannot be launched";
  const size = toSize(bundle.sizeBytes);
  const wanted = bundle.partCount;
  if (wanted === null) return `NOT whole: its manifest is gone or broken; ${parts} parts are there, ${size}`;
  if (parts < wanted) return `NOT whole: ${parts} of ${wanted} parts are there, ${size}`;
  return `a manifest and ${parts} parts, ${size}`;
}
