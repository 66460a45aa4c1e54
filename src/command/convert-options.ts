import { type Command, InvalidArgumentError, Option } from "commander";
import {
  addKeyOptions,
  addTalkOptions,
  type KeyOptions,
  type ManifestOptions,
  type TalkOptions,
} from "./bundle-options.ts";
import { toCount } from "./options.ts";
import { addStoreOptions, type StoreOptions } from "./store-options.ts";

export type ConvertOptions = TalkOptions &
  KeyOptions &
  ManifestOptions &
  StoreOptions & {
    readonly source?: string;
    readonly fromRegion?: string;
    readonly name?: string;
    readonly description?: string;
    readonly virtualization?: string;
    readonly kernel?: string;
    readonly ramdisk?: string;
    readonly ena?: boolean;
    readonly tag?: Readonly<Record<string, string>>;
    readonly volumeSize?: number;
    readonly volumeType: string;
    readonly encrypt?: boolean;
    readonly kmsKey?: string;
    readonly concurrency: number;
    readonly dryRun?: boolean;
    readonly stateDir: string;
  };

/** What `imgspec convert` takes. */
export function addConvertOptions(command: Command): Command {
  addKeyOptions(
    command
      .argument(
        "[image]",
        "what to convert: an AMI such as ami-0123456789abcdef0, or a bundle's manifest: s3://bucket/prefix/NAME.manifest.xml or a file",
      )
      .option("-m, --manifest <path>", "the manifest, as an option"),
    "the RSA private key (PEM) that the bundle was made with (required)",
  )
    .option(
      "-s, --source <directory>",
      "of a bundle in files, where its parts are; beside the manifest when absent",
    )
    .option("--name <name>", "of the new image; the old one's and -ebs when absent")
    .option("--description <text>", "of the new image; the old one's when absent")
    .addOption(
      new Option(
        "--virtualization <type>",
        "the AMI's when absent; of a manifest, paravirtual for a bare file system with a kernel, else hvm",
      ).choices(["hvm", "paravirtual"]),
    )
    .option("--kernel <id>", "of a paravirtual image: a PV-GRUB; the old image's when absent")
    .option("--ramdisk <id>", "of a paravirtual image; the old image's when absent")
    .option(
      "--ena",
      "the image has drivers for ENA, which today's instance types need; as the AMI says when absent",
    )
    .option("--tag <name=value>", "a tag of image and snapshot beside the AMI's (repeatable)", collectTag)
    .option("--volume-size <GiB>", "of the root; as large as the image when absent", toCount)
    .addOption(
      new Option("--volume-type <type>", "of the root")
        // Of the others, st1 and sc1 cannot be a root, and io1 and io2 take a rate as well (CreateVolume reference).
        .choices(["gp3", "gp2", "standard"])
        .default("gp3"),
    )
    .option("--encrypt", "encrypt the snapshot, with the account's own key for EBS")
    .option("--kms-key <arn>", "encrypt the snapshot with this KMS key", toKeyArn);
  addStoreOptions(
    command,
    "where the new image goes, and where an AMI is; else as the profile says, or where the bundle is",
  )
    .option("--from-region <name>", "of a bundle in S3, where its bucket is; looked up when absent")
    .option(
      "--concurrency <count>",
      "blocks on their way at once, 1 to 50, 512 KiB of memory each",
      toConcurrency,
      32,
    )
    .option("--dry-run", "read the beginning of the image, say what would be done, and create nothing")
    .option("--state-dir <directory>", "holds a journal for `imgspec clean`", ".imgspec/runs");
  return addTalkOptions(command);
}

/** The SDK has so many connections; a request that waits for one runs into its time limit. */
const mostAtOnce = 50;

function toConcurrency(value: string): number {
  const count = toCount(value);
  if (count <= mostAtOnce) return count;
  throw new InvalidArgumentError(`at most ${mostAtOnce} blocks are sent at once`);
}

function collectTag(
  value: string,
  before: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const equals = value.indexOf("=");
  if (equals < 1) throw new InvalidArgumentError('write it as name=value, such as --tag team="web"');
  return { ...before, [value.slice(0, equals)]: value.slice(equals + 1) };
}

/** EBS takes no alias and no bare id (StartSnapshot reference). */
function toKeyArn(value: string): string {
  if (/^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[\w-]+$/.test(value)) return value;
  throw new InvalidArgumentError("write it as arn:aws:kms:REGION:ACCOUNT:key/ID");
}
