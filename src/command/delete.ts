import { type Command, Option } from "commander";
import { Problem } from "../problem.ts";
import type { Place } from "../store/address.ts";
import type { Doomed } from "../store/delete-bundle.ts";
import type { Located } from "../store/locate.ts";
import { ask, canAsk } from "./ask.ts";
import {
  addKeyOptions,
  addTalkOptions,
  bundling,
  type KeyOptions,
  print,
  type TalkOptions,
} from "./bundle-options.ts";
import { type Interrupt, listen } from "./interrupt.ts";
import { readPrivateKey } from "./keys.ts";
import { addStoreOptions, openCloud, type StoreOptions, toSeeker } from "./store-options.ts";

type DeleteCommandOptions = TalkOptions &
  KeyOptions &
  StoreOptions & {
    readonly bucket: string;
    readonly manifest?: string;
    readonly prefix?: string;
    readonly yes?: boolean;
    readonly clear?: boolean;
  };

/** `imgspec delete`: the successor of ec2-delete-bundle. */
export function addDelete(program: Command, exit: (code: number) => void): void {
  const command = program
    .command("delete")
    .description("Delete a bundle in S3: its manifest first, then its parts. Deregister its image before.")
    .requiredOption("-b, --bucket <bucket[/prefix]>", "where it is")
    .option("-m, --manifest <path>", "a local copy of its manifest: what it lists is deleted")
    .addOption(
      new Option("-p, --prefix <name>", "its name: NAME.manifest.xml and every NAME.part.N").conflicts(
        "manifest",
      ),
    )
    .option("-y, --yes", "without asking")
    .option("--clear", "afterwards also the bucket, which must then be empty")
    .addOption(new Option("--retry", "for Amazon's sake: requests are always tried again").hideHelp());
  addKeyOptions(command, "the owner's private key, for a manifest from before 2007, which is encrypted");
  addTalkOptions(addStoreOptions(command))
    .addHelpText(
      "after",
      `
Examples:
  imgspec delete --bucket acme-images/web/1 --prefix web.img
  imgspec delete --bucket acme-images/web/1 --manifest web.img.manifest.xml --yes`,
    )
    .action(async (options: DeleteCommandOptions) => exit(await bundling(() => act(options))));
}

async function act(options: DeleteCommandOptions): Promise<number> {
  const [{ toPlace, toUrl }, { deleteBundle }, { locate }] = await Promise.all([
    import("../store/address.ts"),
    import("../store/delete-bundle.ts"),
    import("../store/locate.ts"),
  ]);
  using interrupt = listen();
  const { signal } = interrupt;
  const place = toPlace(options.bucket);
  const cloud = await openCloud(options);
  const found = await locate(cloud, place.bucket, toSeeker(options), signal);
  const doomed = await find(options, found, place, signal);
  const keys = [...doomed.manifests, ...doomed.parts];
  if (!(await isMeant(options, found, keys, interrupt))) {
    print(options, { deleted: [], bucketDeleted: false }, () => "nothing is deleted");
    return 0;
  }
  await deleteBundle(found.provider, place, doomed, signal);
  if (options.clear) await found.provider.deleteBucket(place.bucket, signal);
  const result = { deleted: keys.map((key) => toUrl(place, key)), bucketDeleted: options.clear ?? false };
  const bucket = options.clear ? "; the bucket is deleted" : "";
  const what = keys.length === 0 ? "nothing of it is there" : `${keys.length} objects deleted`;
  print(options, result, () => `${what} in ${place.bucket}${bucket}`);
  return 0;
}

async function find(
  options: DeleteCommandOptions,
  { provider }: Located,
  place: Place,
  signal: AbortSignal,
): Promise<Doomed> {
  const { findByManifest, findByName } = await import("../store/delete-bundle.ts");
  if (options.prefix !== undefined) return findByName(provider, place, options.prefix, signal);
  if (options.manifest === undefined) {
    throw new Problem("usage-wrong", "no bundle is named", {
      hint: "name it with --prefix NAME, or give its manifest with --manifest PATH",
    });
  }
  const privateKey = await readPrivateKey(options, signal);
  return findByManifest(provider, place, options.manifest, privateKey, signal);
}

/** What is gone is gone: without --yes somebody must have seen the list. */
async function isMeant(
  { yes = false, clear = false }: DeleteCommandOptions,
  { bucket }: Located,
  keys: readonly string[],
  interrupt: Interrupt,
): Promise<boolean> {
  if (yes || (keys.length === 0 && !clear)) return true;
  if (!canAsk()) {
    throw new Problem("usage-wrong", `${keys.length} objects would be deleted, and there is nobody to ask`, {
      hint: "add --yes to delete them without a question",
    });
  }
  for (const key of keys) process.stderr.write(`s3://${bucket.name}/${key}\n`);
  const also = clear ? `, and bucket ${bucket.name}` : "";
  const answer = await ask(`Delete these ${keys.length} objects${also}? [y/N] `, interrupt);
  return /^y/i.test(answer.trim());
}
