import type { ImageSpec } from "../spec/spec.ts";
import { amiTools } from "../stage/ami-tools.ts";
import { prepareAmiTools } from "../stage/ami-tools-prepare.ts";
import { type BundleInput, bundle } from "../stage/bundle.ts";
import type { LaunchedInstance } from "../stage/launch.ts";
import type { CheckedImage } from "../stage/preflight.ts";
import type { RegisterFacts } from "../stage/register.ts";
import { type ReleaseInput, release } from "../stage/release.ts";
import { type UploadedBundle, upload } from "../stage/upload.ts";
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
};

type Bundled = {
  readonly bundled: Ref<RegisterFacts>;
  readonly uploaded: Ref<UploadedBundle>;
  /** The task that holds the objects. */
  readonly objectsOf: TaskId;
};

/** From the instance to the objects in S3; beside it the instance is given back as soon as nobody needs it. */
export function addBundle(
  plan: PlanBuilder,
  group: string,
  image: ImageSpec,
  { launched, ...from }: From,
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
    return { bundled: both, uploaded: both, objectsOf: `${group}/bundle` };
  }
  const { name, sizeMib, exclude, compression } = image.bundle;
  const bundled = plan.add(group, "bundle", bundle, { ...input, name, sizeMib, exclude, compression });
  giveBack(bundled);
  const uploaded = plan.add(group, "upload", upload, { bundle: bundled, bucket, prefix, acl, concurrency });
  return { bundled, uploaded, objectsOf: `${group}/upload` };
}
