import { type Command, Option } from "commander";
import {
  addKeyOptions,
  addTalkOptions,
  bundling,
  type KeyOptions,
  print,
  type TalkOptions,
} from "./bundle-options.ts";
import { listen } from "./interrupt.ts";
import { readPrivateKey } from "./keys.ts";
import { newLateMeter } from "./late-meter.ts";
import {
  addStoreOptions,
  addTransferOptions,
  openCloud,
  type StoreOptions,
  type TransferOptions,
  toSeeker,
} from "./store-options.ts";

type DownloadCommandOptions = TalkOptions &
  KeyOptions &
  StoreOptions &
  TransferOptions & {
    readonly bucket: string;
    readonly manifest?: string;
    readonly prefix: string;
    readonly directory: string;
  };

/** `imgspec download`: the successor of ec2-download-bundle. */
export function addDownload(program: Command, exit: (code: number) => void): void {
  const command = program
    .command("download")
    .description(
      "Get a bundle out of S3, each part verified; what is there and right is not fetched again. " +
        "To get the image itself: imgspec unbundle s3://…",
    )
    .requiredOption("-b, --bucket <bucket[/prefix]>", "where it is")
    .option("-m, --manifest <file>", "the manifest's name in there, such as image.manifest.xml")
    .addOption(
      new Option("-p, --prefix <name>", "the bundle's name, to which .manifest.xml is added")
        .conflicts("manifest")
        .default("image"),
    )
    .option("-d, --directory <directory>", "where its files go", ".");
  addKeyOptions(command, "the owner's private key, for a manifest from before 2007, which is encrypted");
  addTalkOptions(addTransferOptions(addStoreOptions(command)))
    .addHelpText(
      "after",
      `
Examples:
  imgspec download --bucket acme-images/web/1 --prefix web.img --directory bundle
  imgspec download --bucket acme-images/web/1 --manifest web.img.manifest.xml`,
    )
    .action(async (options: DownloadCommandOptions) => exit(await bundling(() => act(options))));
}

async function act(options: DownloadCommandOptions): Promise<number> {
  const [{ toPlace }, { downloadBundle }] = await Promise.all([
    import("../store/address.ts"),
    import("../store/download-bundle.ts"),
  ]);
  using interrupt = listen();
  const { signal } = interrupt;
  const place = toPlace(options.bucket);
  const privateKey = await readPrivateKey(options, signal);
  const cloud = await openCloud(options);
  using meter = newLateMeter(options, `downloading from ${place.bucket}`);
  const downloaded = await downloadBundle(cloud, {
    ...toSeeker(options),
    place,
    fileName: options.manifest ?? `${options.prefix}.manifest.xml`,
    directory: options.directory,
    privateKey,
    concurrency: options.concurrency,
    signal,
    onProgress: (doneBytes, totalBytes) => meter.update(doneBytes, totalBytes),
  });
  meter[Symbol.dispose]();
  const { toSize } = await import("../report/format.ts");
  const { alreadyThere } = downloaded;
  const there = alreadyThere === 0 ? "" : `, ${alreadyThere} of them there already`;
  const count = downloaded.downloaded + alreadyThere;
  print(
    options,
    downloaded,
    () => `${count} parts (${toSize(downloaded.sizeBytes)})${there}, verified\n${downloaded.manifest}`,
  );
  return 0;
}
