import { type Command, Option } from "commander";
import type { Fate, MigrateOptions } from "../bundle/migrate-manifest.ts";
import { Problem } from "../problem.ts";
import {
  addKeyOptions,
  addTalkOptions,
  bundling,
  type KeyOptions,
  type ManifestOptions,
  oneOf,
  print,
  type TalkOptions,
} from "./bundle-options.ts";
import { chooseEc2Key } from "./ec2-key.ts";
import { listen } from "./interrupt.ts";
import { readPair, readPrivateKey } from "./keys.ts";
import { newLateMeter } from "./late-meter.ts";
import { toCloudOptions } from "./options.ts";
import {
  addStoreOptions,
  addTransferOptions,
  addWriteOptions,
  type StoreOptions,
  type TransferOptions,
  type WriteOptions,
} from "./store-options.ts";

type MigrateCommandOptions = TalkOptions &
  KeyOptions &
  ManifestOptions &
  StoreOptions &
  TransferOptions &
  WriteOptions & {
    readonly cert?: string;
    readonly toRegion?: string;
    readonly to?: string;
    readonly toProfile?: string;
    readonly fromRegion?: string;
    readonly kernel?: Fate;
    readonly ramdisk?: Fate;
    readonly user?: string;
    readonly ec2cert?: string;
    readonly allowMismatch?: boolean;
    readonly resign?: boolean;
  };

/** `imgspec migrate`: the successor of ec2-migrate-manifest and ec2-migrate-bundle. */
export function addMigrate(program: Command, exit: (code: number) => void): void {
  const command = program
    .command("migrate")
    .description(
      "Make a bundle fit for another region: its key is wrapped for that region's EC2 and its manifest " +
        "signed anew. In S3 the parts are copied too.",
    )
    .argument("[manifest]", "the bundle's manifest: a file, or s3://bucket/prefix/NAME.manifest.xml")
    .option("-m, --manifest <path>", "the same, as an option")
    .option("--to-region <name>", "the region that shall open it (required)")
    .option("--to <s3://bucket[/prefix]>", "of a bundle in S3: where the copy goes")
    .option("--to-profile <name>", "of the AWS configuration, for the copy; as --profile when absent")
    .option("--from-region <name>", "where the bundle is; looked up when absent")
    .option("-c, --cert <path>", "your certificate (PEM), held against the private key");
  addKeyOptions(command, "the RSA private key (PEM) that the bundle was made with (required)")
    .option("--kernel <id|keep|drop>", "what becomes of the manifest's kernel", toFate)
    .option("--ramdisk <id|keep|drop>", "what becomes of the manifest's ramdisk", toFate)
    .option("-u, --user <account>", "the account that will own the image; the manifest's when absent", toUser)
    .option("--ec2cert <path|variant>", "EC2's certificate: a path, or commercial, cn-north-1 or gov")
    .option("--allow-mismatch", "also an EC2 certificate that is not the region's")
    .option("--resign", "also a manifest whose signature does not fit, such as one edited by hand")
    .addOption(new Option("--no-mapping", "for Amazon's sake: kernels are never guessed").hideHelp());
  addTransferOptions(addStoreOptions(addWriteOptions(command), "the same as --to-region"));
  addTalkOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  imgspec migrate web.img.manifest.xml --to-region us-gov-west-1 --privatekey pk.pem
  imgspec migrate s3://acme-us/web/web.img.manifest.xml --to-region cn-north-1 --to s3://acme-cn/web \\
    --profile us --to-profile china --user 210987654321 --privatekey pk.pem --kernel drop

The old file is kept as NAME.manifest.xml.bak. In S3 the old bundle stays, and serves its own region.`,
    )
    .action(async (manifest: string | undefined, options: MigrateCommandOptions) =>
      exit(await bundling(() => act(manifest, options))),
    );
}

async function act(argument: string | undefined, options: MigrateCommandOptions): Promise<number> {
  const manifest = oneOf(argument, options.manifest, "manifest");
  const region = oneOf(options.toRegion, options.region, "region to migrate to (--to-region)");
  using interrupt = listen();
  const { signal } = interrupt;
  const { isS3Url } = await import("../store/address.ts");
  const cloudOptions = await toCloudOptions(options);
  const ec2 = await chooseEc2Key({ ...options, region }, cloudOptions.ec2Certificates);
  const how: MigrateOptions = {
    privateKey: await readOwnKey(options, signal),
    ec2Key: ec2.pem,
    kernel: options.kernel,
    ramdisk: options.ramdisk,
    account: options.user,
    anySignature: options.resign,
  };
  if (isS3Url(manifest)) return migrateInS3(manifest, region, how, options, signal);
  if (options.to !== undefined) {
    throw new Problem("usage-wrong", `${manifest} is a file, and --to is for bundles in S3`, {
      hint: "migrate the file, then imgspec upload it",
    });
  }
  const { migrateFile } = await import("../bundle/migrate-file.ts");
  const { backup } = await migrateFile(manifest, how);
  print(
    options,
    { manifest, region, backup, ec2: ec2.variant },
    () => `${manifest} is for ${region} now (${ec2.name}); what it was is in ${backup}`,
  );
  return 0;
}

async function readOwnKey(options: MigrateCommandOptions, signal: AbortSignal): Promise<string> {
  oneOf(undefined, options.privatekey, "private key");
  if (options.cert !== undefined) return (await readPair(options, signal))?.privateKey ?? "";
  return (await readPrivateKey(options, signal)) ?? "";
}

async function migrateInS3(
  url: string,
  region: string,
  how: MigrateOptions,
  options: MigrateCommandOptions,
  signal: AbortSignal,
): Promise<number> {
  const [{ toPlace }, { openBundleInS3 }, { migrateBundle }, { openCloud }] = await Promise.all([
    import("../store/address.ts"),
    import("../store/bundle-in-s3.ts"),
    import("../store/migrate-bundle.ts"),
    import("./store-options.ts"),
  ]);
  const place = toPlace(oneOf(undefined, options.to, "place for the copy (--to s3://bucket/prefix)"));
  const cloud = await openCloud(options);
  const { profile, toProfile = profile, fromRegion } = options;
  const bundle = await openBundleInS3(cloud, url, {
    profile,
    region: fromRegion,
    privateKey: how.privateKey,
    signal,
  });
  using meter = newLateMeter(options, `copying to ${place.bucket}`);
  const migrated = await migrateBundle(cloud, bundle, {
    ...how,
    place,
    target: { region, profile: toProfile, acl: options.acl, createBucket: options.createBucket ?? false },
    replace: options.replace,
    concurrency: options.concurrency,
    signal,
    onProgress: (doneBytes, totalBytes) => meter.update(doneBytes, totalBytes),
  });
  meter[Symbol.dispose]();
  const { location, copied, alreadyThere } = migrated;
  const there = alreadyThere === 0 ? "" : `, ${alreadyThere} there already`;
  print(options, migrated, () => `s3://${location} is for ${region}: ${copied} parts copied${there}`);
  return 0;
}

function toFate(value: string): Fate {
  return value === "keep" || value === "drop" ? value : { id: value };
}

function toUser(value: string): string {
  return value.replaceAll("-", "");
}
