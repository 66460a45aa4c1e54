import type { Account } from "../aws/cloud.ts";
import { toSpecTags } from "../image/built-image.ts";
import type { ImageSpec, ProvisionStep, ShellStep, Spec } from "../spec/spec.ts";
import { boot } from "../stage/boot.ts";
import { checkInstance } from "../stage/check-instance.ts";
import { type LaunchedInstance, launch } from "../stage/launch.ts";
import { local } from "../stage/local.ts";
import { packages } from "../stage/packages.ts";
import { preflight } from "../stage/preflight.ts";
import { publish } from "../stage/publish.ts";
import { reboot } from "../stage/reboot.ts";
import { register } from "../stage/register.ts";
import { type ShellInput, shell } from "../stage/shell.ts";
import { downloadFiles, uploadFiles } from "../stage/transfer.ts";
import { trial } from "../stage/trial.ts";
import { verify } from "../stage/verify.ts";
import { toWay } from "../stage/way.ts";
import { groupName } from "../util/task-id.ts";
import { addBundle, addTools, imageFiles, needsOf } from "./add-bundle.ts";
import { type Plan, PlanBuilder, type Ref } from "./plan.ts";

export type PlanOptions = {
  /** SHA-256 by absolute path of every local file that the spec sends (`digestFiles`). */
  readonly digests: ReadonlyMap<string, string>;
  /** A command that each new image must run when it is launched; null: none is launched. */
  readonly tryCommand: string | null;
};

/** What has to be done, region by region. Pure: the same spec and digests give the same plan. */
export function toPlan(spec: Spec, options: PlanOptions): Plan {
  const plan = new PlanBuilder(spec.name);
  for (const image of spec.images) addImage(plan, image, options);
  return plan.toPlan();
}

function addImage(plan: PlanBuilder, image: ImageSpec, { digests, tryCommand }: PlanOptions): void {
  const group = groupName(image.region.name, image.variant);
  const account: Account = {
    region: image.region.name,
    ...(image.profile === null ? {} : { profile: image.profile }),
  };
  const regional = image.region.certificate;
  const certificate = { ...image.certificate, regional };

  const checked = plan.add(group, "preflight", preflight, {
    account,
    source: image.source,
    instanceTypes: image.launch.instanceTypes,
    bucket: image.upload.bucket,
    prefix: image.upload.prefix,
    acl: image.upload.acl,
    partition:
      image.bundle.method === "ami-tools" ? (image.bundle.partition ?? "auto") : image.bundle.image.partition,
    bundleName: image.bundle.name,
    imageName: image.register.name,
    launch: {
      keyName: image.launch.keyPair,
      subnet: image.launch.subnet,
      securityGroups: image.launch.securityGroups,
      iamInstanceProfile: image.launch.iamInstanceProfile,
    },
    architecture: image.register.architecture,
    virtualization: image.register.virtualization,
    kernel: image.register.kernel,
    ramdisk: image.register.ramdisk,
    certificate,
    gate: image.verify?.launch ?? null,
    way: toWay(image.connect),
  });
  const launchInput = {
    account,
    checked,
    name: image.name,
    keyPair: image.launch.keyPair,
    subnet: image.launch.subnet,
    securityGroups: image.launch.securityGroups,
    allowFrom: image.launch.allowFrom,
    iamInstanceProfile: image.launch.iamInstanceProfile,
    metadataTokens: image.launch.metadataTokens,
    tags: image.launch.tags,
    timeoutSeconds: image.launch.timeoutSeconds,
    connect: image.connect,
  };
  const launched = plan.add(group, "launch", launch, {
    ...launchInput,
    userData: image.launch.userData,
    needs: needsOf(image.bundle, digests),
  });
  const provisioned = image.provision.reduce(
    (on, step, index) => addStep(plan, group, index, on, step, digests),
    addTools(plan, group, image.bundle, launched),
  );
  const { bundled, uploaded, objectsOf } = addBundle(plan, group, image, {
    launched,
    on: provisioned,
    checked,
    certificate,
    digests,
  });
  const verified = plan.add(group, "verify", verify, { uploaded });
  const gate = image.verify;
  const products = [...objectsOf, `${group}/register`];
  const registered = plan.add(group, "register", register, {
    bundle: bundled,
    verified,
    name: image.register.name,
    description: image.register.description,
    tags: { ...image.register.tags, ...toSpecTags(image.name, image.variant) },
    checked,
    enaSupport: image.register.enaSupport,
    sriovNetSupport: image.register.sriovNetSupport,
    metadataTokens: image.register.metadataTokens,
    regionalKey: regional,
    // With a gate the image is not proven yet.
    products: gate === null ? products : [],
  });
  const proven =
    gate === null
      ? registered
      : plan.add(group, "boot", boot, {
          ...launchInput,
          needs: null,
          iamInstanceProfile: gate.launch.iamInstanceProfile,
          userData: gate.launch.userData,
          connect: { ...image.connect, timeoutSeconds: gate.timeoutSeconds },
          registered,
          console: gate.console,
          tests: gate.tests.map((test) => toTest(test, digests)),
          products,
        });
  const tried =
    tryCommand === null
      ? proven
      : plan.add(group, "try", trial, {
          ...launchInput,
          userData: null,
          needs: null,
          registered: proven,
          command: tryCommand,
        });
  if (image.publish !== null)
    plan.add(group, "publish", publish, { registered: proven, after: tried, ...image.publish });
}

function addStep(
  plan: PlanBuilder,
  group: string,
  index: number,
  on: Ref<LaunchedInstance>,
  step: ProvisionStep,
  digests: ReadonlyMap<string, string>,
): Ref<LaunchedInstance> {
  const word = `provision.${index + 1}`;
  const common = { on, timeoutSeconds: step.timeoutSeconds, retries: step.retries, label: step.label };
  switch (step.kind) {
    case "shell":
      return plan.add(group, word, shell, { ...toTest(step, digests), on }, `Run ${step.title}`);
    case "upload": {
      const { from, to, mode, sudo } = step;
      const contents = digests.get(from) ?? "";
      return plan.add(
        group,
        word,
        uploadFiles,
        { ...common, from, contents, to, mode, sudo },
        `Send ${step.title}`,
      );
    }
    case "download":
      return plan.add(
        group,
        word,
        downloadFiles,
        { ...common, from: step.from, to: step.to },
        `Fetch ${step.title}`,
      );
    case "local": {
      const { command, env, workdir } = step;
      return plan.add(group, word, local, { ...common, command, env, workdir }, `Run here: ${step.title}`);
    }
    case "packages": {
      const { kind: _, title, ...input } = step;
      return plan.add(group, word, packages, { ...input, on }, `Packages: ${title}`);
    }
    case "check": {
      const { assertions, sudo } = step;
      return plan.add(group, word, checkInstance, { ...common, assertions, sudo }, `Check ${step.title}`);
    }
    case "reboot":
      return plan.add(group, word, reboot, { on, timeoutSeconds: step.timeoutSeconds, label: step.label });
    default:
      return step satisfies never;
  }
}

function toTest(step: ShellStep, digests: ReadonlyMap<string, string>): Omit<ShellInput, "on"> {
  const { env, sudo, workdir, exitCodes, timeoutSeconds, retries, label } = step;
  const script =
    "path" in step.script
      ? { path: step.script.path, contents: digests.get(step.script.path) ?? "" }
      : step.script;
  return { script, env, sudo, workdir, exitCodes, timeoutSeconds, retries, label };
}

/** The local files and directories that a spec's steps and its image take from this machine. */
export function localPaths(spec: Spec): readonly string[] {
  const paths = spec.images.flatMap(({ provision, bundle, verify: gate }) => [
    ...[...provision, ...(gate?.tests ?? [])].flatMap((step) => {
      if (step.kind === "upload") return [step.from];
      return step.kind === "shell" && "path" in step.script ? [step.script.path] : [];
    }),
    ...imageFiles(bundle),
  ]);
  return [...new Set(paths)];
}
