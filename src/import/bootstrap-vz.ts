import { toDocument } from "../document/document.ts";
import { type MapNode, nodeAt } from "../document/node.ts";
import type { Text } from "../document/text.ts";
import { Problem } from "../problem.ts";
import { type Names, newNames } from "./bootstrap-vz/names.ts";
import { toPackageSteps } from "./bootstrap-vz/packages.ts";
import { toDebconf, toPluginSteps } from "./bootstrap-vz/plugins.ts";
import {
  bootstrapperReasons,
  credentialReasons,
  partitionReasons,
  providerReasons,
  rootReasons,
} from "./bootstrap-vz/reasons.ts";
import { toSystemSteps } from "./bootstrap-vz/system.ts";
import { type Imported, toImported, toName } from "./imported.ts";
import { type Section, withoutAbsent } from "./launch-sections.ts";
import { Leftovers } from "./leftovers.ts";
import { Options, type Reading } from "./options.ts";
import { type Rebase, toRebase } from "./paths.ts";
import { toSpecText } from "./pieces.ts";

/**
 * Makes a spec of a manifest of bootstrap-vz for S3-backed AMIs, in YAML or JSON. `paths`: where the manifest is and where the
 * spec will be, for its relative paths. Throws `spec-invalid`, with its places, for what is no such manifest.
 */
export function toBootstrapSpec(
  text: Text,
  paths: { readonly manifest: string; readonly spec: string },
): Imported {
  const root = readManifest(text);
  const leftovers = new Leftovers();
  const reading: Reading = {
    world: {
      builder: "",
      fields: {},
      variables: new Set(),
      lists: new Set(),
      plain: new Set(),
      used: { environment: new Set(), variables: new Set() },
    },
    leftovers,
    reasons: new Map(),
    passwords: new Set(),
  };
  const sections = toSections(
    new Options(root, "", reading),
    newNames(root),
    toRebase(paths.manifest, paths.spec),
  );
  const stem = (text.path.split("/").at(-1) ?? "").replace(/(\.manifest)?\.(ya?ml|json)$/, "");
  return toImported({ imgspec: 1, name: toName(stem), ...sections }, leftovers, undefined);
}

function readManifest(text: Text): MapNode {
  const { root, diagnostics } = toDocument(text);
  if (root?.kind !== "map" || !root.entries.has("provider"))
    throw new Problem("spec-invalid", `"${text.path}" is no manifest of bootstrap-vz`, {
      hint: "a manifest has a provider, a bootstrapper, a system and a volume",
      diagnostics,
    });
  const [provider, backing] = [valueAt(root, "provider", "name"), valueAt(root, "volume", "backing")];
  if (provider !== "ec2" || backing !== "s3")
    throw new Problem("spec-invalid", `"${text.path}" is for provider ${provider} with backing ${backing}`, {
      hint: "imgspec builds what provider ec2 with backing s3 does",
    });
  return root;
}

function toSections(manifest: Options, names: Names, rebase: Rebase): Section {
  const section = (name: string): Options | undefined => manifest.blocks(name)[0];
  const [provider, image, system] = [section("provider"), section("image"), section("system")];
  const [bootstrapper, plugins] = [section("bootstrapper"), section("plugins")];
  const [credentials] = provider?.blocks("credentials") ?? [];
  // Older manifests have these under image, later ones under provider.
  const either = (name: string): string | undefined =>
    [image, provider].flatMap((options) => (options && names.text(options, name)) ?? [])[0];
  const imageName = names.text(manifest, "name") ?? (image && names.text(image, "name"));
  const [description, bucket, region] = [either("description"), either("bucket"), either("region")];
  const architecture = system?.text("architecture");
  const release = system?.text("release");
  const more = bootstrapper ? names.texts(bootstrapper, "include_packages") : [];
  const sections = {
    variables: { sourceImage: toSourceVariable(release, architecture) },
    source: { image: toSpecText([{ cel: "vars.sourceImage" }]) },
    launch: { instanceTypes: ["m3.medium", "m3.large"] },
    connect: { user: "admin" },
    provision: [
      ...(system ? toSystemSteps(system) : []),
      ...toDebconf(plugins),
      ...toPackageSteps(section("packages"), more, names, rebase),
      ...toPluginSteps(plugins, names, rebase),
    ],
    bundle: toBundle(section("volume")),
    certificate: withoutAbsent({
      certificate: pathIn(credentials, "certificate", rebase),
      privateKey: pathIn(credentials, "private-key", rebase),
    }),
    upload: withoutAbsent({ bucket }),
    register: withoutAbsent({
      name: imageName,
      description,
      architecture: architecture === "amd64" ? "x86_64" : architecture,
      virtualization: { pvm: "paravirtual", hvm: "hvm" }[provider?.text("virtualization") ?? ""],
    }),
    regions:
      region === undefined ? {} : { [region]: withoutAbsent({ profile: credentials?.text("profile") }) },
  };
  tellOfSource(manifest, bootstrapper);
  credentials?.dropRest(credentialReasons);
  provider?.take("name");
  provider?.dropRest(providerReasons);
  for (const options of [image, manifest]) options?.dropRest({});
  return Object.fromEntries(Object.entries(sections).filter(([, value]) => Object.keys(value).length > 0));
}

function toSourceVariable(
  release = "the same release",
  architecture = "the same architecture",
): { description: string; pattern: string } {
  return {
    description: `AMI to start from, with an instance store root: Debian ${release}, ${architecture}`,
    pattern: "^ami-[0-9a-f]{8}([0-9a-f]{9})?$",
  };
}

/** The one thing that cannot be made of a manifest. */
function tellOfSource(manifest: Options, bootstrapper: Options | undefined): void {
  const what = "bootstrap-vz installs Debian into an empty disk; imgspec begins with an AMI that has it";
  const hint = "name one by --var sourceImage=ami-… or in source, and in connect.user who logs in there";
  (bootstrapper ?? manifest).reading.leftovers.add(
    (bootstrapper ?? manifest).place,
    "bootstrapper",
    what,
    hint,
  );
  bootstrapper?.take("workspace");
  bootstrapper?.dropRest(bootstrapperReasons);
}

function toBundle(volume: Options | undefined): { [key: string]: string } {
  const [partitions] = volume?.blocks("partitions") ?? [];
  const [root] = partitions?.blocks("root") ?? [];
  const type = partitions?.text("type");
  const size = root?.text("size");
  const [, amount, unit] = /^(\d+)([MG])i?B$/.exec(size ?? "") ?? [];
  if (size !== undefined && amount === undefined)
    root?.leave("size", ["imgspec counts in MiB and GiB", "bundle.size"]);
  root?.dropRest(rootReasons);
  partitions?.dropRest(partitionReasons);
  volume?.take("backing");
  volume?.dropRest({});
  return {
    ...(type === undefined ? {} : { partition: type === "msdos" ? "mbr" : type }),
    ...(amount === undefined ? {} : { size: `${amount}${unit}iB` }),
  };
}

function pathIn(options: Options | undefined, name: string, rebase: Rebase): string | undefined {
  const path = options?.text(name);
  return path === undefined ? undefined : rebase(path);
}

function valueAt(root: MapNode, ...path: readonly string[]): string {
  const node = nodeAt(root, path);
  return node?.kind === "scalar" ? String(node.value) : "(none)";
}
