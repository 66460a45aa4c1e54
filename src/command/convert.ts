import type { Command } from "commander";
import type { Cloud } from "../aws/cloud.ts";
import type { BundleKey } from "../bundle/key.ts";
import { Problem } from "../problem.ts";
import type { Conversion } from "../stage/conversion.ts";
import type { ConvertedVolume } from "../stage/convert.ts";
import { bundling, oneOf, print } from "./bundle-options.ts";
import { addConvertOptions, type ConvertOptions } from "./convert-options.ts";
import type { ConvertSource } from "./convert-source.ts";
import { type Interrupt, listen } from "./interrupt.ts";
import { readPrivateKey } from "./keys.ts";
import { newLateMeter } from "./late-meter.ts";
import { openCloud, toSeeker } from "./store-options.ts";

/** `imgspec convert`: the user guide's "convert to EBS", without an instance. */
export function addConvert(program: Command, exit: (code: number) => void): void {
  addConvertOptions(
    program
      .command("convert")
      .description(
        "Make an image that boots from EBS of one with an instance store root, without an instance: its bytes go from S3 " +
          "into a snapshot, and the snapshot is registered.",
      ),
  )
    .addHelpText(
      "after",
      `
Examples:
  imgspec convert ami-0123456789abcdef0 --region us-east-1 --privatekey pk.pem
  imgspec convert s3://acme-images/web/1/web.img.manifest.xml --region eu-west-1 --privatekey pk.pem --name web --ena
  imgspec convert web.img.manifest.xml --region us-east-1 --privatekey pk.pem --dry-run

The old image and its bundle stay. What a failure or Ctrl-C leaves is deleted; after a kill -9, by imgspec clean.`,
    )
    .action(async (image: string | undefined, options: ConvertOptions) =>
      exit(await bundling(() => act(image, options))),
    );
}

async function act(argument: string | undefined, options: ConvertOptions): Promise<number> {
  const what = oneOf(argument, options.manifest, "image");
  oneOf(undefined, options.privatekey, "private key");
  const [
    { openKey },
    { readBeginning },
    { bootSectorBytes, hasPartitionTable },
    { toConversion },
    { openSource },
  ] = await Promise.all([
    import("../bundle/open-key.ts"),
    import("../bundle/beginning.ts"),
    import("../bundle/partition-table.ts"),
    import("../stage/conversion.ts"),
    import("./convert-source.ts"),
  ]);
  using interrupt = listen();
  const { signal } = interrupt;
  const privateKey = (await readPrivateKey(options, signal)) ?? "";
  const cloud = await openCloud(options);
  const { source: directory, fromRegion } = options;
  const source = await openSource(
    cloud,
    what,
    {
      ...toSeeker(options),
      privateKey,
      ...(directory === undefined ? {} : { source: directory }),
      ...(fromRegion === undefined ? {} : { fromRegion }),
    },
    signal,
  );
  const key = openKey(source.bundle.manifest.image, privateKey);
  const beginning = await readBeginning(source.bundle, key, bootSectorBytes, signal);
  const conversion = toConversion(source.image, hasPartitionTable(beginning), {
    ...options,
    volumeSizeGiB: options.volumeSize,
    tags: options.tag ?? {},
  });
  await expectFreeName(cloud, source, conversion, signal);
  const encryption = options.kmsKey ?? (options.encrypt ? "default" : null);
  if (options.dryRun) {
    tellPlan(source, conversion, encryption, options);
    return 0;
  }
  const converted = await carryOut(cloud, { source, key, conversion, encryption }, options, interrupt);
  const { toSize } = await import("../report/format.ts");
  const { region } = source.account;
  const { imageId, snapshotId, blocks, blockBytes } = converted;
  const { name } = conversion.image;
  print(
    options,
    { source: source.name, region, name, ...converted },
    () =>
      `${imageId} in ${region} is ${name}\n${snapshotId}: ${blocks} blocks (${toSize(blocks * blockBytes)}), verified`,
  );
  return 0;
}

type Work = {
  readonly source: ConvertSource;
  readonly key: BundleKey;
  readonly conversion: Conversion;
  readonly encryption: string | null;
};

async function carryOut(
  cloud: Cloud,
  { source, ...work }: Work,
  options: ConvertOptions,
  interrupt: Interrupt,
): Promise<ConvertedVolume> {
  const [{ journaled }, { convert }] = await Promise.all([
    import("./journaled.ts"),
    import("../stage/convert.ts"),
  ]);
  const { account, bundle } = source;
  const task = `${account.region}/convert`;
  using meter = newLateMeter(options, `converting ${source.image.name}`);
  let isWriting = false;
  const log = (line: string): void => {
    // The meter may have drawn a line of its own, which by then is over.
    if (isWriting) meter[Symbol.dispose]();
    if (!options.quiet) process.stderr.write(`${line}\n`);
  };
  return await journaled({
    cloud,
    stateDirectory: options.stateDir,
    about: source.name,
    task,
    interrupt,
    log,
    work: (scope, run) =>
      convert(
        { ...work, account, bundle, concurrency: options.concurrency },
        {
          cloud,
          scope,
          run,
          task,
          signal: interrupt.signal,
          log,
          progress: (doneBytes, totalBytes = 0) => {
            isWriting = true;
            meter.update(doneBytes, totalBytes);
          },
        },
      ),
  });
}

/** EC2 would say it when all is written. */
async function expectFreeName(
  cloud: Cloud,
  { account }: ConvertSource,
  { image: { name } }: Conversion,
  signal: AbortSignal,
): Promise<void> {
  const query = { owners: ["self"], filters: { name: [name] } };
  const [taken] = await cloud.account(account).findImages(query, signal);
  if (!taken) return;
  throw new Problem(
    "name-taken",
    `there is already an image named "${name}" in ${account.region}: ${taken.id}`,
    {
      hint: "say another --name, or deregister the other image",
    },
  );
}

function tellPlan(
  { bundle, name, account }: ConvertSource,
  { image, volumeSizeGiB }: Conversion,
  encryption: string | null,
  options: ConvertOptions,
): void {
  const { sizeBytes, bundledSizeBytes, parts } = bundle.manifest.image;
  const plan = {
    source: name,
    region: account.region,
    sizeBytes,
    bundledSizeBytes,
    volumeSizeGiB,
    encryption,
    image,
  };
  const kernel = image.kernel === null ? "" : `, kernel ${image.kernel}`;
  const encrypted =
    encryption === null
      ? ""
      : `, encrypted with ${encryption === "default" ? "the account's key" : encryption}`;
  print(options, { dryRun: true, ...plan }, () =>
    [
      `would read ${parts.length} parts of ${name}, ${bundledSizeBytes} bytes`,
      `would write a snapshot of ${volumeSizeGiB} GiB in ${account.region}, at most ${Math.ceil(sizeBytes / 524_288)} blocks${encrypted}`,
      `would register ${image.name}: ${image.architecture}, ${image.virtualization}${kernel}, root ${image.root.device} on ${image.root.type}`,
      "nothing is created",
    ].join("\n"),
  );
}
