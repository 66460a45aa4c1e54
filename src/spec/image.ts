import { resolve } from "node:path";
import { blockDeviceMappingsOf } from "./block-devices.ts";
import { toConnect } from "./connect.ts";
import type { WrittenImage } from "./image.gen.ts";
import { type ImageContext, toShell, toStep } from "./image-steps.ts";
import { toMib, toSeconds } from "./quantity.ts";
import { toPublish } from "./register.ts";
import type { CertificateSpec, ImageSpec, SourceSpec } from "./spec.ts";

/**
 * What is never wanted in an image: contents of mounts, temporary files. The directories themselves stay. Not /dev: what
 * lies below the mount are the device nodes that a boot without an initial RAM disk begins with.
 */
const alwaysExcluded = ["/tmp", "/var/tmp", "/proc", "/sys", "/run", "/mnt", "/media"];

/** The image with nothing left open: units converted, paths absolute. */
export function toImageSpec(written: WrittenImage, context: ImageContext): ImageSpec {
  const { name, region, variant, directory, build } = context;
  const own = variant === null ? "" : `-${variant}`;
  const { launch, connect, bundle, upload, register } = written;
  return {
    name,
    region,
    variant,
    profile: written.profile,
    source: toSource(written.source),
    launch: {
      method: launch.method,
      instanceTypes: launch.instanceTypes,
      keyPair: launch.keyPair,
      subnet: launch.subnet,
      securityGroups: launch.securityGroups,
      allowFrom: launch.allowFrom,
      iamInstanceProfile: launch.iamInstanceProfile,
      userData: launch.userData,
      metadataTokens: launch.metadataTokens,
      tags: { ...launch.tags },
      timeoutSeconds: toSeconds(launch.timeout),
    },
    connect: toConnect(connect, context),
    provision: written.provision.flatMap((step, index) =>
      step.if === false ? [] : [context.pluginSteps.get(index) ?? toStep(step, index, context)],
    ),
    bundle: bundle.method === "ami-tools" ? toAmiTools(bundle, launch) : toNativeBundle(bundle, directory),
    certificate: toCertificate(written.certificate, directory),
    upload: { ...upload, prefix: upload.prefix ?? `${name}/${build.id}${own.replace("-", "/")}` },
    register: {
      ...register,
      name: register.name ?? `${name}${own}-${build.id}`,
      blockDeviceMappings: blockDeviceMappingsOf(register),
      tags: { ...register.tags },
    },
    verify: toBootGate(written, context),
    publish: toPublish(written.publish),
  };
}

type WrittenBundle<M> = Extract<WrittenImage["bundle"], { method: M }>;

function toNativeBundle(bundle: WrittenBundle<"native">, directory: string): ImageSpec["bundle"] {
  return {
    method: bundle.method,
    at: bundle.at,
    name: bundle.name,
    image: toVolumeCopy(bundle, directory),
    needs: bundle.needs,
    compression: bundle.compression,
  };
}

function toAmiTools(
  { method, name, size, exclude, partition, amiTools }: WrittenBundle<"ami-tools">,
  { iamInstanceProfile }: WrittenImage["launch"],
): ImageSpec["bundle"] {
  return {
    method,
    name,
    sizeMib: size === null ? null : toMib(size),
    exclude,
    partition,
    ...amiTools,
    credentials: amiTools.credentials ?? (iamInstanceProfile === null ? "builder" : "instance-profile"),
  };
}

function toBootGate({ verify, launch }: WrittenImage, context: ImageContext): ImageSpec["verify"] {
  const { boot, console, tests, timeout, launch: own } = verify;
  const present = tests.flatMap(({ shell }, index) =>
    shell === undefined ? [] : [toShell(shell, ["verify", "tests", index], context)],
  );
  if (!(boot ?? (present.length > 0 || console !== null))) return null;
  return {
    console,
    tests: present,
    timeoutSeconds: toSeconds(timeout),
    launch: {
      instanceTypes: own.instanceTypes.length > 0 ? own.instanceTypes : launch.instanceTypes,
      iamInstanceProfile: own.iamInstanceProfile ?? launch.iamInstanceProfile,
      userData: own.userData,
    },
  };
}

function toSource({ image, find }: WrittenImage["source"]): SourceSpec {
  if (image !== undefined) return { kind: "image", image };
  if (!find) throw new Error("a source without image or find passed the rules");
  const { owner, filters, ...rest } = find;
  const lists = Object.entries(filters).map(([name, values]) => [name, [values].flat()]);
  return { kind: "find", ...rest, owners: [owner].flat(), filters: Object.fromEntries(lists) };
}

type VolumeCopy = Extract<ImageSpec["bundle"], { method: "native" }>["image"];

function toVolumeCopy(bundle: WrittenBundle<"native">, directory: string): VolumeCopy {
  const { partition, size, exclude, include, fstab, script } = bundle;
  const { allow, ...hygiene } = bundle.hygiene;
  return {
    partition,
    sizeMib: size === null ? null : toMib(size),
    exclude: [...alwaysExcluded.map((path) => `${path}/**`), ...exclude],
    include,
    fstab: fstab === "keep" || fstab === "generate" ? fstab : { path: resolve(directory, fstab) },
    hygiene,
    allow,
    script: script === null ? null : resolve(directory, script),
  };
}

function toCertificate(written: WrittenImage["certificate"], directory: string): CertificateSpec {
  const { ec2, allowMismatch, certificate, privateKey } = written;
  const variants = { auto: null, commercial: "commercial", "cn-north-1": "cn-north-1", gov: "gov" } as const;
  return {
    ec2: Object.hasOwn(variants, ec2)
      ? variants[ec2 as keyof typeof variants]
      : { path: resolve(directory, ec2) },
    allowMismatch,
    user:
      certificate === null || privateKey === null
        ? null
        : { certificate: resolve(directory, certificate), privateKey: resolve(directory, privateKey) },
  };
}
