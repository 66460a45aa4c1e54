import type { Account } from "../aws/cloud.ts";
import { toSpecTags } from "../image/built-image.ts";
import type { ImageSpec, Spec } from "../spec/spec.ts";
import { boot } from "../stage/boot.ts";
import { launch } from "../stage/launch.ts";
import { preflight } from "../stage/preflight.ts";
import { publish } from "../stage/publish.ts";
import { register } from "../stage/register.ts";

import { trial } from "../stage/trial.ts";
import { verify } from "../stage/verify.ts";
import { toWay } from "../stage/way.ts";
import { groupName } from "../util/task-id.ts";
import { addBundle, addTools, needsOf } from "./add-bundle.ts";
import { addStep, type PlanOptions, programsOf, toTest } from "./add-step.ts";
import { type Plan, PlanBuilder } from "./plan.ts";

/** What has to be done, region by region. Pure: the same spec and digests give the same plan. */
export function toPlan(spec: Spec, options: PlanOptions): Plan {
  const plan = new PlanBuilder(spec.name);
  for (const image of spec.images) addImage(plan, image, options);
  return plan.toPlan();
}

function addImage(plan: PlanBuilder, image: ImageSpec, options: PlanOptions): void {
  const { digests, tryCommand } = options;
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
    programs: programsOf(image.provision),
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
    (on, step, index) => addStep(plan, { group, index, on }, step, options),
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
