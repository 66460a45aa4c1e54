import { type Command, InvalidArgumentError, Option } from "commander";
import { Problem } from "../problem.ts";
import type { Uploaded } from "../store/upload-bundle.ts";
import {
  addKeyOptions,
  addManifest,
  addTalkOptions,
  bundling,
  type KeyOptions,
  type ManifestOptions,
  oneOf,
  print,
  type TalkOptions,
} from "./bundle-options.ts";
import { listen } from "./interrupt.ts";
import { readPrivateKey } from "./keys.ts";
import { newLateMeter } from "./late-meter.ts";
import {
  addStoreOptions,
  addTransferOptions,
  addWriteOptions,
  openCloud,
  type StoreOptions,
  type TransferOptions,
  toSeeker,
  type WriteOptions,
} from "./store-options.ts";

type UploadCommandOptions = TalkOptions &
  KeyOptions &
  ManifestOptions &
  StoreOptions &
  TransferOptions &
  WriteOptions & {
    readonly bucket: string;
    readonly directory?: string;
    readonly location?: string;
    readonly part?: number;
    readonly skipmanifest?: boolean;
  };

/** `imgspec upload`: the successor of ec2-upload-bundle. */
export function addUpload(program: Command, exit: (code: number) => void): void {
  const command = addManifest(
    program
      .command("upload")
      .description("Put a bundle into S3, several parts at once and the manifest last; may be repeated."),
    "the bundle's manifest, NAME.manifest.xml",
  )
    .requiredOption("-b, --bucket <bucket[/prefix]>", "where it goes")
    .option("-d, --directory <directory>", "where the parts are; beside the manifest when absent");
  addWriteOptions(command)
    .addOption(
      new Option("--location <name>", "the same as --region; also EU and US, as Amazon's tool").argParser(
        toLocation,
      ),
    )
    .option("--part <number>", "only the parts from this one on, counted from 0", toIndex)
    .option("--skipmanifest", "only the parts");
  addKeyOptions(command, "the owner's private key, for a manifest from before 2007, which is encrypted");
  addTalkOptions(addTransferOptions(addStoreOptions(command)))
    .addHelpText(
      "after",
      `
Examples:
  imgspec upload web.img.manifest.xml --bucket acme-images/web/1
  imgspec upload web.img.manifest.xml --bucket acme-new --create-bucket --region eu-west-1

What S3 has with the same size and SHA-1 is not sent again: after an interruption, run it once more.`,
    )
    .action(async (manifest: string | undefined, options: UploadCommandOptions) =>
      exit(await bundling(() => act(manifest, options))),
    );
}

async function act(argument: string | undefined, options: UploadCommandOptions): Promise<number> {
  const manifestPath = oneOf(argument, options.manifest, "manifest");
  const region = regionOf(options);
  const [{ toPlace }, { uploadBundle }] = await Promise.all([
    import("../store/address.ts"),
    import("../store/upload-bundle.ts"),
  ]);
  using interrupt = listen();
  const { signal } = interrupt;
  const place = toPlace(options.bucket);
  const privateKey = await readPrivateKey(options, signal);
  const cloud = await openCloud(options);
  using meter = newLateMeter(options, `uploading to ${place.bucket}`);
  const uploaded = await uploadBundle(cloud, {
    ...toSeeker({ ...options, ...(region === undefined ? {} : { region }) }),
    manifestPath,
    place,
    directory: options.directory,
    privateKey,
    acl: options.acl,
    createBucket: options.createBucket ?? false,
    replace: options.replace,
    firstPart: options.part,
    skipManifest: options.skipmanifest,
    concurrency: options.concurrency,
    signal,
    onProgress: (doneBytes, totalBytes) => meter.update(doneBytes, totalBytes),
  });
  meter[Symbol.dispose]();
  const { toSize } = await import("../report/format.ts");
  print(options, uploaded, () => toText(uploaded, toSize));
  return 0;
}

function toText(uploaded: Uploaded, toSize: (bytes: number) => string): string {
  const { bucket, region, bucketCreated, location, alreadyThere, sizeBytes } = uploaded;
  const there = alreadyThere === 0 ? "" : `, ${alreadyThere} of them there already`;
  const count = uploaded.uploaded + alreadyThere;
  return [
    ...(bucketCreated ? [`made bucket ${bucket} in ${region}`] : []),
    `${count} objects in ${bucket} in ${region} (${toSize(sizeBytes)})${there}`,
    location === null ? "without the manifest" : `s3://${location}`,
  ].join("\n");
}

/** Amazon's --location and --region are two words for where a bucket is made. */
function regionOf({ region, location }: UploadCommandOptions): string | undefined {
  if (region !== undefined && location !== undefined && region !== location) {
    throw new Problem("usage-wrong", `two regions are named: ${region} and ${location}`, {
      hint: "name one: EC2 reads a bundle in the region of its bucket",
    });
  }
  return region ?? location;
}

function toLocation(value: string): string {
  return { EU: "eu-west-1", US: "us-east-1" }[value] ?? value;
}

/** Decimal: Amazon's tool read a leading zero as octal. */
function toIndex(value: string): number {
  if (/^\d{1,9}$/.test(value)) return Number.parseInt(value, 10);
  throw new InvalidArgumentError("a whole number from 0 on is needed");
}
