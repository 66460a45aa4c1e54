import { fromGoTemplate } from "./go-template.ts";
import { type Section, withoutAbsent } from "./launch-sections.ts";
import type { Options } from "./options.ts";
import type { Rebase } from "./paths.ts";

/** What Packer's commands name, as the words in braces of `bundle.amiTools`. */
const bundleFields = {
  AccountId: "account",
  Architecture: "architecture",
  CertPath: "certificate",
  Destination: "destination",
  KeyPath: "privateKey",
  Prefix: "name",
};
const uploadFields = {
  AccessKey: "accessKey",
  BucketName: "bucket",
  BundleDirectory: "directory",
  ManifestPath: "manifest",
  Region: "region",
  SecretKey: "secretKey",
  Token: "token",
};

/** `bundle` and `upload`, which share a bucket and a prefix in Packer. */
export function toBundleAndUpload(options: Options): { readonly bundle: Section; readonly upload: Section } {
  const [bucket, ...folders] = (options.text("s3_bucket") ?? "").split("/");
  const prefix = options.text("bundle_prefix")?.split("/") ?? [];
  const name = prefix.at(-1);
  const folder = [...folders, ...prefix.slice(0, -1)].filter((part) => part !== "").join("/");
  // A bundle whose name is always new needs no folder of its own.
  const isNew = name?.includes("${{ build.") ?? false;
  const own = folder === "" ? undefined : `${folder}/\${{ build.id }}`;
  return {
    bundle: toBundle(options, name),
    upload: { bucket: bucket || undefined, prefix: isNew ? folder : own },
  };
}

function toBundle(options: Options, name: string | undefined): Section {
  const bundleCommand = toCommand(options, "bundle_vol_command", bundleFields);
  const uploadCommand = toCommand(options, "bundle_upload_command", uploadFields);
  if (bundleCommand === undefined && uploadCommand === undefined) return { name };
  const destination = options.text("bundle_destination");
  const amiTools = withoutAbsent({ destination, bundleCommand, uploadCommand });
  return { method: "ami-tools", name, amiTools };
}

/** A command of the template's own; `undefined` for none, and for those that say what Packer does anyway. */
function toCommand(
  options: Options,
  name: string,
  fields: Readonly<Record<string, string>>,
): string | undefined {
  const source = options.raw(name);
  if (source === undefined) return undefined;
  // imgspec runs it as root, leaves out what must not be in the image, and knows EC2's key.
  const bare = source
    .trim()
    .replaceAll(/\bsudo\s+(?:-[a-zA-Z]+\s+)*/g, "")
    .replaceAll(/\s-e\s+\{\{\s*\.PrivatePath\s*\}\}\/\*/g, " -e {exclude}");
  const words = Object.fromEntries(Object.entries(fields).map(([from, to]) => [from, { text: `{${to}}` }]));
  const world = { ...options.reading.world, fields: words };
  const translated = fromGoTemplate(bare, world);
  if ("why" in translated) {
    options.leave(name, [translated.why, "write bundle.amiTools yourself"]);
    return undefined;
  }
  const why =
    "it needs Amazon's AMI tools on the instance, and takes keys there; it runs as root, without sudo";
  options.leave(name, [
    `kept as bundle.method: ami-tools, but ${why}`,
    "remove it: imgspec bundles by itself",
  ]);
  return translated.text.replaceAll(/\s+/g, " ");
}

export function toCertificate(options: Options, rebase: Rebase): Section {
  const certificate = options.text("x509_cert_path");
  const privateKey = options.text("x509_key_path");
  return {
    certificate: certificate === undefined ? undefined : rebase(certificate),
    privateKey: privateKey === undefined ? undefined : rebase(privateKey),
  };
}

export function toRegister(options: Options): Section {
  const tags = options.map("tags", "tag");
  const mappings = toMappings(options);
  return {
    name: options.text("ami_name"),
    description: options.text("ami_description"),
    architecture: options.text("ami_architecture"),
    virtualization: options.text("ami_virtualization_type"),
    enaSupport: options.flag("ena_support") || undefined,
    sriovNetSupport: options.flag("sriov_support") ? "simple" : undefined,
    metadataTokens: options.text("imds_support") === "v2.0" ? "required" : undefined,
    blockDeviceMappings: Object.keys(mappings).length > 0 ? mappings : undefined,
    tags: Object.keys(tags).length > 0 ? tags : undefined,
  };
}

function toMappings(options: Options): Record<string, string> {
  const mappings: Record<string, string> = {};
  for (const block of options.blocks("ami_block_device_mappings")) {
    const device = block.text("device_name");
    const virtual = block.text("virtual_name");
    if (device !== undefined && virtual?.startsWith("ephemeral")) mappings[device] = virtual;
    else block.leave("a mapping", ["only instance store volumes are mapped: ephemeral0 to ephemeral23"]);
    block.dropRest({ "*": ["it is about EBS volumes"] });
  }
  return mappings;
}

/** `regions`: the one that Packer builds in. */
export function toRegions(options: Options, defaultOf: (expression: string) => string | undefined): Section {
  const { used } = options.reading.world;
  const before = new Set(used.variables);
  const written = options.text("region");
  // A key is literal: the variable is not used here.
  for (const name of used.variables) if (!before.has(name)) used.variables.delete(name);
  const profile = options.text("profile");
  const hint = "write it under regions, one entry for each region";
  if (written === undefined) {
    options.leave("region", ["the template leaves it to the environment", hint]);
    return {};
  }
  const region = written.includes("${{") ? defaultOf(written) : written;
  if (region !== written)
    options.leave("region", [
      region === undefined
        ? "it is a variable without a default, and regions are literal"
        : `it is a variable, and regions are literal: ${region}, its default, is written`,
      hint,
    ]);
  return region === undefined ? {} : { [region]: withoutAbsent({ profile }) };
}
