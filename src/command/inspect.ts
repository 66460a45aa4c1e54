import type { Command } from "commander";
import { architectureOf, type Manifest } from "../bundle/manifest.ts";
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
import { addSourceOptions, openNamed, type SourceOptions } from "./bundle-place.ts";
import { listen } from "./interrupt.ts";
import { readPrivateKey } from "./keys.ts";

type InspectOptions = TalkOptions &
  KeyOptions &
  ManifestOptions &
  SourceOptions & { readonly parts?: boolean };

/** `imgspec inspect`: what a manifest says. */
export function addInspect(program: Command, exit: (code: number) => void): void {
  const command = addManifest(
    program.command("inspect").description("Print what the manifest of a bundle says. Reads no part."),
  ).option("--parts", "also each part and its SHA-1");
  addKeyOptions(command, "the owner's private key, for a manifest from before 2007, which is encrypted");
  addTalkOptions(addSourceOptions(command))
    .addHelpText(
      "after",
      `
Examples:
  imgspec inspect web.img.manifest.xml
  imgspec inspect s3://acme-images/web/1/web.img.manifest.xml
  imgspec inspect web.img.manifest.xml --output json | jq -r '.image.parts[].fileName'`,
    )
    .action(async (manifest: string | undefined, options: InspectOptions) =>
      exit(await bundling(() => act(manifest, options))),
    );
}

async function act(argument: string | undefined, options: InspectOptions): Promise<number> {
  const path = oneOf(argument, options.manifest, "manifest");
  using interrupt = listen();
  const privateKey = await readPrivateKey(options, interrupt.signal);
  const { manifest } = await openNamed(path, { ...options, privateKey }, interrupt.signal);
  const { toSize } = await import("../report/format.ts");
  print(options, toJson(manifest), () => toText(manifest, toSize, options.parts ?? false));
  return 0;
}

function toJson(manifest: Manifest): unknown {
  const { image } = manifest;
  return {
    ...manifest,
    architecture: architectureOf(manifest),
    image: { ...image, ec2KeyBits: bitsOf(image.ec2.key), ownerKeyBits: bitsOf(image.owner.key) },
  };
}

function toText(manifest: Manifest, toSize: (bytes: number) => string, withParts: boolean): string {
  const { image, machine, bundler } = manifest;
  const size = (bytes: number): string => `${toSize(bytes)} (${bytes} bytes)`;
  const rows: readonly (readonly [string, string | null])[] = [
    ["name", image.name],
    ["account", image.user],
    ["type", image.type],
    ["architecture", architectureOf(manifest)],
    ["kernel", machine?.kernel ?? null],
    ["ramdisk", machine?.ramdisk ?? null],
    ...(machine?.blockDeviceMapping ?? []).map(
      ({ virtual, device }) => ["mapping", `${virtual} = ${device}`] as const,
    ),
    ...(machine?.productCodes ?? []).map((code) => ["product code", code] as const),
    ...image.ancestry.map((id) => ["made from", id] as const),
    ["image", size(image.sizeBytes)],
    ["bundled", `${size(image.bundledSizeBytes)} in ${image.parts.length} parts`],
    ["digest", `${image.digest} (SHA-1 of the tar stream)`],
    ["for EC2", ec2KeyOf(image.ec2.key)],
    [
      "for owner",
      image.owner.key === "" ? "no key: only EC2 opens it" : `a key of ${bitsOf(image.owner.key)} bits`,
    ],
    ["signature", manifest.signature === null ? "none" : "there is one; imgspec verify --cert checks it"],
    ["made by", bundler && `${bundler.name} ${bundler.version}.${bundler.release}`],
    ["version", manifest.version],
    ...(withParts ? image.parts.map(({ fileName, sha1 }) => ["part", `${sha1}  ${fileName}`] as const) : []),
  ];
  return rows
    .flatMap(([label, value]) => (value === null ? [] : [`${label.padEnd(13)} ${value}`]))
    .join("\n");
}

/** A manifest does not say which key was used, but of what size it was. */
function ec2KeyOf(hex: string): string {
  const bits = bitsOf(hex);
  const owners: Readonly<Record<number, string>> = {
    1024: ", as commercial and gov",
    2048: ", as cn-north-1",
  };
  return bits === 0 ? "no key" : `a key of ${bits} bits${owners[bits] ?? ""}`;
}

function bitsOf(hex: string): number {
  return hex.length * 4;
}
