import type { AwsKeys } from "../aws/provider.ts";
import { quote } from "../machine/quote.ts";
import { type bundlePlaceholders, fillPlaceholders, type uploadPlaceholders } from "../util/placeholders.ts";

/** Shell text that stands for one word: a quoted value, or a variable of templates/instance/ami-tools.sh. */
type Word = string;

const certificate: Word = '"$keys/cert.pem"';
const privateKey: Word = '"$keys/pk.pem"';
const ec2Certificate: Word = '"$keys/cert-ec2.pem"';
const destination: Word = '"$work"';

export type BundleFacts = {
  readonly name: string;
  readonly account: string;
  readonly architecture: string;
  readonly sizeMib: number | null;
  readonly partition: string | null;
  readonly exclude: readonly string[];
  readonly inherit: boolean;
  readonly kernel: string | null;
  readonly ramdisk: string | null;
  readonly blockDeviceMappings: readonly { readonly device: string; readonly virtual: string }[];
  readonly further: readonly string[];
};

/** The call of ec2-bundle-vol as shell text. No secret is in it. */
export function toBundleCommand(template: string, facts: BundleFacts): string {
  // One argument, cut at its commas by the tool; unquoted, a shell would make many of it and the key would be bundled.
  const exclude = ['"$keys"', destination, ...facts.exclude.map(quote)].join(",");
  const words: Readonly<Record<(typeof bundlePlaceholders)[number], Word>> = {
    certificate,
    privateKey,
    ec2Certificate,
    destination,
    exclude,
    account: quote(facts.account),
    architecture: quote(facts.architecture),
    name: quote(facts.name),
    arguments: [
      ...["--cert", certificate, "--privatekey", privateKey, "--ec2cert", ec2Certificate],
      ...["--user", quote(facts.account), "--arch", quote(facts.architecture)],
      ...["--destination", destination, "--prefix", quote(facts.name), "--exclude", exclude, "--batch"],
      ...(facts.inherit ? [] : ["--no-inherit"]),
      ...option("--size", facts.sizeMib === null ? null : String(facts.sizeMib)),
      ...option("--partition", facts.partition),
      ...option("--kernel", facts.kernel),
      ...option("--ramdisk", facts.ramdisk),
      ...option("--block-device-mapping", toMappings(facts) || null),
      ...facts.further.map(quote),
    ].join(" "),
  };
  return fill(template, words);
}

export type UploadFacts = {
  readonly name: string;
  readonly bucket: string;
  readonly prefix: string;
  readonly region: string;
  readonly acl: string;
  /** Where S3 is, if not where the tool thinks. */
  readonly url: string | null;
  /** Null: the tool asks the instance profile. */
  readonly keys: AwsKeys | null;
  readonly further: readonly string[];
};

/** The call of ec2-upload-bundle as shell text, with AWS's secret key in it unless the instance profile uploads. */
export function toUploadCommand(template: string, facts: UploadFacts): string {
  const { keys } = facts;
  const bucket = quote(facts.prefix === "" ? facts.bucket : `${facts.bucket}/${facts.prefix}`);
  const manifest = `${destination}/${quote(`${facts.name}.manifest.xml`)}`;
  const words: Readonly<Record<(typeof uploadPlaceholders)[number], Word>> = {
    bucket,
    manifest,
    directory: destination,
    region: quote(facts.region),
    acl: quote(facts.acl),
    accessKey: quote(keys?.accessKeyId ?? ""),
    secretKey: quote(keys?.secretAccessKey ?? ""),
    token: quote(keys?.sessionToken ?? ""),
    arguments: [
      ...["--bucket", bucket, "--manifest", manifest, "--directory", destination],
      ...["--region", quote(facts.region), "--acl", quote(facts.acl), "--batch", "--retry"],
      ...option("--url", facts.url),
      ...option("--access-key", keys?.accessKeyId ?? null),
      ...option("--secret-key", keys?.secretAccessKey ?? null),
      ...option("--delegation-token", keys?.sessionToken ?? null),
      ...facts.further.map(quote),
    ].join(" "),
  };
  return fill(template, words);
}

/** The programs that the commands find by their names, and what ec2-bundle-vol itself calls (bundle-format notes, 10.1). */
export function toPrograms(
  { bundleCommand, uploadCommand }: { readonly bundleCommand: string; readonly uploadCommand: string },
  partition: string | null,
): { readonly tools: readonly string[]; readonly helpers: readonly string[] } {
  const isNamed = (tool: string): boolean => new RegExp(`(^|[^\\w./-])${tool}\\b`).test(bundleCommand);
  const tools = [
    ...(isNamed("ec2-bundle-vol") ? ["ec2-bundle-vol"] : []),
    ...(/(^|[^\w./-])ec2-upload-bundle\b/.test(uploadCommand) ? ["ec2-upload-bundle"] : []),
  ];
  const disk = ["kpartx", "dmsetup", "losetup"];
  const helpers = {
    gpt: [...disk, "sgdisk", "grub"],
    mbr: [...disk, "parted", "grub"],
    none: [],
  }[partition ?? "none"];
  return {
    tools,
    helpers: tools.length === 0 ? [] : ["rsync", "tar", "gzip", "openssl", ...(helpers ?? [])],
  };
}

function option(name: string, value: string | null): readonly Word[] {
  return value === null ? [] : [name, quote(value)];
}

function toMappings({ blockDeviceMappings }: BundleFacts): string {
  return blockDeviceMappings.map(({ device, virtual }) => `${virtual}=${device}`).join(",");
}

/** A word that is not known was refused with the spec. */
function fill(template: string, words: Readonly<Record<string, Word>>): string {
  return fillPlaceholders(template, (word) => words[word] ?? `{${word}}`);
}
