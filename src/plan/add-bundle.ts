import type { ImageSpec } from "../spec/spec.ts";
import { amiTools } from "../stage/ami-tools.ts";
import { prepareAmiTools } from "../stage/ami-tools-prepare.ts";
import { type BundleInput, bundle } from "../stage/bundle.ts";
import type { LaunchedInstance, LaunchInput } from "../stage/launch.ts";
import type { CheckedImage } from "../stage/preflight.ts";
import type { RegisterFacts } from "../stage/register.ts";
import { type ReleaseInput, release } from "../stage/release.ts";
import { type UploadedBundle, upload } from "../stage/upload.ts";
import type { VolumeCopyInput } from "../stage/volume-copy.ts";
import type { PlanBuilder, Ref, TaskId } from "./plan.ts";

/** Amazon's tools are looked for right after connecting, and not after an hour of provisioning. */
export function addTools(
  plan: PlanBuilder,
  group: string,
  spec: ImageSpec["bundle"],
  on: Ref<LaunchedInstance>,
): Ref<LaunchedInstance> {
  if (spec.method !== "ami-tools" || spec.install === "provision") return on;
  const { install, installCommands, bundleCommand, uploadCommand, partition } = spec;
  const input = { on, install, installCommands, bundleCommand, uploadCommand, partition };
  return plan.add(group, "tools", prepareAmiTools, input);
}

type From = {
  readonly launched: Ref<LaunchedInstance>;
  readonly on: Ref<LaunchedInstance>;
  readonly checked: Ref<CheckedImage>;
  readonly certificate: BundleInput["certificate"];
  /** SHA-256 by absolute path of local files. */
  readonly digests: ReadonlyMap<string, string>;
};

type Bundled = {
  readonly bundled: Ref<RegisterFacts>;
  readonly uploaded: Ref<UploadedBundle>;
  /** The tasks that may hold the objects. */
  readonly objectsOf: readonly TaskId[];
};

/** From the instance to the objects in S3; beside it the instance is given back as soon as nobody needs it. */
export function addBundle(
  plan: PlanBuilder,
  group: string,
  image: ImageSpec,
  { launched, digests, ...from }: From,
): Bundled {
  const { bucket, prefix, acl, concurrency } = image.upload;
  const input = { ...from, blockDeviceMappings: image.register.blockDeviceMappings };
  const giveBack = (after: Ref<ReleaseInput["after"]>): void => {
    plan.add(group, "clean", release, { on: launched, after, of: [`${group}/launch`] });
  };
  if (image.bundle.method === "ami-tools") {
    const { method: _, install: _i, installCommands: _c, ...tools } = image.bundle;
    const both = plan.add(group, "bundle", amiTools, { ...input, ...tools, bucket, prefix, acl });
    giveBack(both);
    return { bundled: both, uploaded: both, objectsOf: [`${group}/bundle`] };
  }
  const { at, name, compression } = image.bundle;
  const copy = toCopyInput(image.bundle, digests);
  const where = { bucket, prefix, acl };
  const bundled = plan.add(group, "bundle", bundle, { ...input, at, upload: where, name, copy, compression });
  giveBack(bundled);
  const uploaded = plan.add(group, "upload", upload, { bundle: bundled, bucket, prefix, acl, concurrency });
  return { bundled, uploaded, objectsOf: [`${group}/bundle`, `${group}/upload`] };
}

/** What the instance must have for the image to be made, asked of it right after connecting. Amazon's tools ask themselves. */
export function needsOf(
  spec: ImageSpec["bundle"],
  digests: ReadonlyMap<string, string>,
): LaunchInput["needs"] {
  if (spec.method === "ami-tools") return null;
  return { copy: toCopyInput(spec, digests), when: spec.needs };
}

type NativeSpec = Exclude<ImageSpec["bundle"], { readonly method: "ami-tools" }>;

function toCopyInput({ image }: NativeSpec, digests: ReadonlyMap<string, string>): VolumeCopyInput {
  const { fstab, script } = image;
  const withDigest = (path: string) => ({ path, contents: digests.get(path) ?? "" });
  return {
    ...image,
    fstab: typeof fstab === "string" ? fstab : withDigest(fstab.path),
    script: script === null ? null : withDigest(script),
  };
}

/** The local files that the image itself takes. */
export function imageFiles(spec: ImageSpec["bundle"]): readonly string[] {
  if (spec.method === "ami-tools") return [];
  const { fstab, script } = spec.image;
  return [...(typeof fstab === "string" ? [] : [fstab.path]), ...(script === null ? [] : [script])];
}
