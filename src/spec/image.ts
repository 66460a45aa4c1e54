import { basename, resolve } from "node:path";
import { type Node, nodeAt, type Path } from "../document/node.ts";
import type { Region } from "../util/region.ts";
import { toAnsible } from "./ansible.ts";
import { blockDeviceMappingsOf } from "./block-devices.ts";
import { toLabel } from "./check.ts";
import { toConnect } from "./connect.ts";
import type { WrittenImage } from "./image.gen.ts";
import type { PluginStep } from "./plugins/steps.ts";
import { toProgramStep } from "./program-step.ts";
import { toMib, toSeconds } from "./quantity.ts";
import { toPublish } from "./register.ts";
import type {
  CertificateSpec,
  Environment,
  ImageSpec,
  ProvisionStep,
  ShellStep,
  SourceSpec,
} from "./spec.ts";
import { toBuiltIn } from "./steps.ts";

export type ImageContext = {
  readonly name: string;
  readonly region: Region;
  readonly variant: string | null;
  /** Absolute; relative paths are relative to it. */
  readonly directory: string;
  readonly build: { readonly id: string; readonly now: Date };
  /** Where the written image comes from, with expressions evaluated. */
  readonly node: Node;
  readonly pluginSteps: ReadonlyMap<number, PluginStep>;
};

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

const copyTimeoutSeconds = 3600;

function toStep(
  step: WrittenImage["provision"][number],
  index: number,
  context: ImageContext,
): ProvisionStep {
  const { directory, node } = context;
  const at = ["provision", index] as const;
  const label = toLabel(at);
  if (step.shell) return toShell(step.shell, at, context);
  if (step.program) {
    const secrets = toEnvironment(node, [...at, "program", "secrets"]);
    return toProgramStep(step.program, { label, directory, secrets });
  }
  if (step.local) {
    const { command, workdir, timeout } = step.local;
    return {
      kind: "local",
      title: firstWords(command),
      label,
      timeoutSeconds: toSeconds(timeout),
      retries: 0,
      command,
      env: toEnvironment(node, [...at, "local", "env"]),
      workdir: resolve(directory, workdir),
    };
  }
  if (step.ansible) return toAnsible(step.ansible, at, context);
  const builtIn = toBuiltIn(step, label);
  if (builtIn) return builtIn;
  const base = { label, timeoutSeconds: copyTimeoutSeconds, retries: 0 };
  if (step.upload) {
    const { from, to, mode, sudo } = step.upload;
    return {
      kind: "upload",
      title: `${from} to ${to}`,
      ...base,
      from: resolve(directory, from),
      to,
      mode,
      sudo,
    };
  }
  const { from, to } = step.download ?? { from: "", to: "" };
  return { kind: "download", title: `${from} to ${to}`, ...base, from, to: resolve(directory, to) };
}

function toShell(
  shell: NonNullable<WrittenImage["verify"]["tests"][number]["shell"]>,
  at: Path,
  { directory, node }: ImageContext,
): ShellStep {
  const { file, inline = "", sudo, workdir, exitCodes, retries, timeout } = shell;
  return {
    kind: "shell",
    title: file === undefined ? firstWords(inline) : basename(file),
    label: toLabel(at),
    timeoutSeconds: toSeconds(timeout),
    retries,
    script: file === undefined ? { inline } : { path: resolve(directory, file) },
    env: toEnvironment(node, [...at, "shell", "env"]),
    sudo,
    workdir,
    exitCodes,
  };
}

/** Read from the nodes, since only they tell a secret from a text. */
function toEnvironment(root: Node, path: Path): Environment {
  const node = nodeAt(root, path);
  if (node?.kind !== "map") return {};
  const entries = [...node.entries].map(([name, { node: inner }]) => {
    if (inner.kind !== "scalar") return [name, ""];
    return [name, inner.secret === undefined ? String(inner.value) : { $secret: inner.secret.name }];
  });
  return Object.fromEntries(entries);
}

/** The first line that says something, cut to a title. */
function firstWords(script: string): string {
  const lines = script.split("\n").map((line) => line.trim());
  const line = lines.find((text) => text !== "" && !text.startsWith("#")) ?? "script";
  return line.length <= 60 ? line : `${line.slice(0, 59).trimEnd()}…`;
}
