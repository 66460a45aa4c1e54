import { type Command, Option } from "commander";
import type { MadeBundle } from "../bundle/bundle-image.ts";
import { Problem } from "../problem.ts";
import {
  addKeyOptions,
  addTalkOptions,
  bundling,
  type KeyOptions,
  newMeter,
  notice,
  oneOf,
  print,
  type TalkOptions,
  toBytes,
} from "./bundle-options.ts";
import { expectApart, nameOf, openSource } from "./bundle-source.ts";
import { addTargetOptions, findTarget, type Target, type TargetOptions } from "./bundle-target.ts";
import { toCodes, toLevel, toMappings } from "./bundle-values.ts";
import { chooseEc2Key, type Ec2Key, type Ec2KeyOptions } from "./ec2-key.ts";
import { listen } from "./interrupt.ts";
import { readPair } from "./keys.ts";

type BundleCommandOptions = TalkOptions &
  KeyOptions &
  TargetOptions &
  Ec2KeyOptions & {
    readonly image?: string;
    readonly cert?: string;
    readonly user: string;
    readonly prefix?: string;
    readonly arch?: string;
    readonly kernel?: string;
    readonly ramdisk?: string;
    readonly blockDeviceMapping?: readonly { readonly virtual: string; readonly device: string }[];
    readonly productcodes?: readonly string[];
    readonly size?: number;
    readonly sizeChecks: boolean;
    readonly sparse?: boolean;
    readonly sha256?: boolean;
    readonly level?: number;
  };

/** `imgspec bundle`: the successor of ec2-bundle-image. */
export function addBundle(program: Command, exit: (code: number) => void): void {
  const command = program
    .command("bundle")
    .description(
      "Bundle an image of a root file system or disk: parts and a signed manifest, as EC2 takes them.",
    )
    .argument("[image]", "an image file or block device; - for stdin")
    .option("-i, --image <path>", "the same, as an option")
    .requiredOption("-u, --user <account>", "the AWS account that will own the image, 12 digits")
    .option("-c, --cert <path>", "your certificate (PEM); without --cert and --privatekey: a fresh pair");
  addTargetOptions(addKeyOptions(command, "your RSA private key (PEM): signs the manifest, opens the bundle"))
    .option("-p, --prefix <name>", "name of the bundle; the image's file name when absent")
    .addOption(
      new Option("--region <name>", "of the image: picks the EC2 key; with --to that of the bucket").env(
        "AWS_REGION",
      ),
    )
    .option("--ec2cert <path|variant>", "EC2's certificate: a path, or commercial, cn-north-1 or gov")
    .option("--allow-mismatch", "also an EC2 certificate that is not the region's")
    .option("-r, --arch <architecture>", "x86_64 or i386; this machine's when absent")
    .option("-B, --block-device-mapping <virtual=device,...>", "such as ami=sda1,root=/dev/sda1", toMappings)
    .option("--productcodes <codes>", "product codes, separated by commas", toCodes)
    .option("--kernel <id>", "aki-…, of a paravirtual image")
    .option("--ramdisk <id>", "ari-…, of a paravirtual image")
    .option("--size <bytes>", "of an image from stdin, such as 10GiB", toBytes)
    .option(
      "--sparse",
      "leave the zeros out, as holes; for which the image is read twice. Files: the default",
    )
    .option("--no-sparse", "bundle the zeros, too. Devices and stdin: the default")
    .option("--sha256", "also make the SHA-256 of the image, for --output json")
    .option("--no-size-checks", "also images of more than 10 GiB, which EC2 refuses")
    .option("--level <number>", "of compression, 1 (fast) to 9 (small); 4 when absent", toLevel);
  addTalkOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  imgspec bundle web.img --user 123456789012 --cert cert.pem --privatekey pk.pem --region us-east-1
  ssh web 'sudo cat /dev/xvda1' | imgspec bundle - --size 8GiB --prefix web --user 123456789012

The bundle is NAME.manifest.xml and NAME.part.0, .1, … in the destination. An older bundle of that name is replaced
in a directory; in S3 only with --replace, since an image may need it. There the parts are .part.0000, .0001, …`,
    )
    .action(async (image: string | undefined, options: BundleCommandOptions) =>
      exit(await bundling(() => act(image, options))),
    );
}

async function act(argument: string | undefined, options: BundleCommandOptions): Promise<number> {
  const path = oneOf(argument, options.image, "image");
  const { bundleImage } = await import("../bundle/bundle-image.ts");
  using interrupt = listen();
  const { signal } = interrupt;
  const architecture = options.arch ?? ownArchitecture();
  const target = await findTarget(options, signal);
  const { region } = target;
  const ec2 = await chooseEc2Key(
    { ...options, ...(region === undefined ? {} : { region }) },
    target.standIns,
  );
  const own = await readPair(options, signal);
  const image = await openSource(path, options, signal);
  const name = nameOf(image, options.prefix);
  if (options.to === undefined) await expectApart(path, options.destination, name);
  tellChoices(options, architecture, ec2, own !== undefined);
  const user = own ?? (await freshPair());

  await using sink = await target.open(name);
  using meter = await newMeter(options, `bundling ${name}`, image.sizeBytes);
  const made = await bundleImage(image, sink, {
    name,
    account: options.user,
    architecture,
    ...(options.kernel === undefined ? {} : { kernel: options.kernel }),
    ...(options.ramdisk === undefined ? {} : { ramdisk: options.ramdisk }),
    blockDeviceMappings: options.blockDeviceMapping ?? [],
    productCodes: options.productcodes ?? [],
    ec2Key: ec2.pem,
    user,
    anySize: !options.sizeChecks,
    imageDigest: options.sha256 ?? false,
    ...(options.level === undefined ? {} : { level: options.level }),
    signal,
    onProgress: (doneBytes) => meter?.update(doneBytes),
  });
  meter?.[Symbol.dispose]();
  await tellMade(options, made, ec2, target);
  return 0;
}

function ownArchitecture(): string {
  const found = { x64: "x86_64", ia32: "i386" }[process.arch as string];
  if (found !== undefined) return found;
  throw new Problem(
    "usage-wrong",
    `the architecture of the image is not known (this machine is ${process.arch})`,
    {
      hint: "say it: --arch x86_64",
    },
  );
}

function tellChoices(
  options: BundleCommandOptions,
  architecture: string,
  ec2: Ec2Key,
  hasPair: boolean,
): void {
  if (architecture !== "x86_64" && architecture !== "i386") {
    notice(options, `EC2 has no instance store-backed images of architecture ${architecture}`);
  }
  if (ec2.variant === null) notice(options, `${ec2.name} is none that EC2 is known to have`);
  if (hasPair) return;
  notice(
    options,
    "the bundle is made with a fresh key pair, forgotten afterwards: only EC2 will be able to open it\n" +
      "  hint: keep a pair of your own with imgspec cert create, and give --cert and --privatekey",
  );
}

async function freshPair(): ReturnType<typeof import("../bundle/user-certificate.ts")["newUserCertificate"]> {
  const { newUserCertificate } = await import("../bundle/user-certificate.ts");
  return newUserCertificate();
}

async function tellMade(
  options: BundleCommandOptions,
  { manifest: { image }, imageSha256 }: MadeBundle,
  ec2: Ec2Key,
  { pathOf }: Target,
): Promise<void> {
  const path = pathOf(`${image.name}.manifest.xml`);
  const { toSize } = await import("../report/format.ts");
  const count = image.parts.length;
  print(
    options,
    {
      manifest: path,
      name: image.name,
      parts: image.parts.map(({ fileName, sha1 }) => ({ path: pathOf(fileName), sha1 })),
      sizeBytes: image.sizeBytes,
      bundledSizeBytes: image.bundledSizeBytes,
      digest: image.digest,
      ...(imageSha256 === null ? {} : { imageSha256 }),
      ec2Key: ec2.variant,
    },
    () =>
      `${path}: ${count} part${count === 1 ? "" : "s"} of together ${toSize(image.bundledSizeBytes)}, ` +
      `an image of ${toSize(image.sizeBytes)}, for ${ec2.name}`,
  );
}
