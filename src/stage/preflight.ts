import type { Account } from "../aws/cloud.ts";
import type { Image, LaunchRequest, Provider } from "../aws/provider.ts";
import { Problem } from "../problem.ts";
import type { CertificateVariant } from "../util/region.ts";
import { chooseCertificates } from "./certificates.ts";
import { checkGate, tryLaunch, usableTypes } from "./launchable.ts";
import { checkPrograms, type NeededProgram } from "./needed-programs.ts";
import { findSource, type SourceQuery } from "./source.ts";
import type { Stage, StageContext } from "./stage.ts";
import { checksOf, type Way } from "./way.ts";

export type PreflightInput = {
  readonly account: Account;
  readonly source: SourceQuery;
  readonly instanceTypes: readonly string[];
  readonly bucket: string;
  readonly prefix: string;
  readonly acl: string;
  /** Of the bundle: only `none` makes an image without a partition table for certain. */
  readonly partition: "auto" | "gpt" | "mbr" | "none";
  /** Of the bundle: its manifest must not be there yet. */
  readonly bundleName: string;
  readonly imageName: string;
  readonly architecture: string | null;
  readonly virtualization: string | null;
  readonly kernel: string | null;
  readonly ramdisk: string | null;
  readonly certificate: CertificateInput;
  /** What steps run on this machine. */
  readonly programs?: readonly NeededProgram[];
  /** How the instance will be logged in to. */
  readonly way: Way;
  /** What the launch will ask for beside image and type, tried out by a dry run. */
  readonly launch: Pick<LaunchRequest, "subnet" | "securityGroups" | "iamInstanceProfile"> &
    Partial<Pick<LaunchRequest, "keyName">>;
  /** What the boot gate will launch otherwise. */
  readonly gate: {
    readonly instanceTypes: readonly string[];
    readonly iamInstanceProfile: string | null;
  } | null;
};

export type CertificateInput = {
  readonly ec2: CertificateVariant | { readonly path: string } | null;
  readonly allowMismatch: boolean;
  readonly user: { readonly certificate: string; readonly privateKey: string } | null;
  /** The variant whose key the region's EC2 holds, as far as it is known. */
  readonly regional: CertificateVariant | null;
};

/** What was found to be true before anything was created. */
export type CheckedImage = {
  readonly accountId: string;
  readonly source: Image;
  /** Those of the spec's types that the region offers and that can run the image, in the spec's order. */
  readonly instanceTypes: readonly string[];
  /** The same for the boot gate; null when there is none. */
  readonly gateTypes: readonly string[] | null;
  readonly architecture: string;
  readonly virtualization: string;
  /** The kernel and RAM disk that a paravirtual image boots with; null for HVM. */
  readonly kernel: string | null;
  readonly ramdisk: string | null;
};

export const preflight: Stage<PreflightInput, CheckedImage> = {
  kind: "preflight.ec2",
  title: "Check account, source, bucket and certificate",
  exitCode: 4,
  summarize: ({ accountId, source }) => `account ${accountId}, source ${source.id} ${source.name}`,
  run: async (input, context) => {
    const provider = context.cloud.account(input.account);
    const caller = await provider.caller(context.signal);
    context.log(`account ${caller.account} as ${caller.arn}`);

    const checks = new Checks(context.signal);
    const source = await checks.run(() => findSource(provider, input.source, context.signal));
    // Without a source and a word in the spec nobody knows: then only the types themselves are checked.
    const architecture = input.architecture ?? source?.architecture ?? null;
    const virtualization = input.virtualization ?? source?.virtualization ?? null;
    if (source) context.log(`source ${source.id} ${source.name} (${architecture}, ${virtualization})`);
    const what = { architecture, virtualization };
    const types = await checks.run(() => usableTypes(provider, input.instanceTypes, what, context));
    if (source && types) await checks.run(() => tryLaunch(provider, input.launch, source, types, context));
    const gate = input.gate;
    const gateTypes =
      gate && (await checks.run(() => checkGate(provider, input, gate, source, what, context)));
    const boot = await checks.run(async () => source && toBoot(input, source, virtualization, context));
    await checks.run(() => checkBucket(provider, input, context));
    await checks.run(() => checkName(provider, input.imageName, context.signal));
    await checks.run(async () => void (await chooseCertificates(input.certificate, context.cloud.options)));
    for (const check of checksOf(input.way, context)) await checks.run(check);
    await checks.run(() => checkPrograms(input.programs ?? [], context));
    checks.end();
    // Both are there, or `end` has thrown.
    if (!source || !types || !boot || architecture === null || virtualization === null)
      throw new Problem("preflight-failed", "the checks did not finish");
    return {
      accountId: caller.account,
      source,
      instanceTypes: types,
      gateTypes: gateTypes ?? null,
      architecture,
      virtualization,
      ...boot,
    };
  },
};

/** Runs every check, so that one failed build tells everything that is wrong. */
class Checks {
  readonly #problems: Problem[] = [];
  readonly #signal: AbortSignal;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  async run<T>(check: () => Promise<T>): Promise<T | undefined> {
    this.#signal.throwIfAborted();
    try {
      return await check();
    } catch (error) {
      if (!(error instanceof Problem) || this.#signal.aborted) throw error;
      this.#problems.push(error);
      return undefined;
    }
  }

  end(): void {
    const [first, ...others] = this.#problems;
    if (!first) return;
    if (others.length === 0) throw first;
    const list = this.#problems.map(({ message, hint }) => `- ${message}${hint ? `\n  ${hint}` : ""}`);
    throw new Problem("preflight-failed", `${this.#problems.length} things are wrong:\n${list.join("\n")}`);
  }
}

/** What boots the image. Without a disk partition table only a paravirtual one is sure to boot on AWS. */
function toBoot(
  input: PreflightInput,
  source: Image,
  virtualization: string | null,
  { log }: StageContext,
): { readonly kernel: string | null; readonly ramdisk: string | null } {
  if (virtualization !== "paravirtual") {
    if (input.partition === "none") {
      log(
        `warning: an ${virtualization} image needs a partitioned disk to boot on AWS, and bundle.partition is none`,
      );
    }
    return { kernel: input.kernel, ramdisk: input.ramdisk };
  }
  const kernel = input.kernel ?? source.kernel;
  if (kernel !== null) return { kernel, ramdisk: input.ramdisk ?? source.ramdisk };
  throw new Problem(
    "preflight-failed",
    "a paravirtual image boots with a kernel, and the source AMI names none",
    {
      hint: "set register.kernel to an aki-… of the region",
    },
  );
}

async function checkBucket(provider: Provider, input: PreflightInput, context: StageContext): Promise<void> {
  const bucket = await provider.bucket(input.bucket, context.signal);
  if (bucket.region !== provider.region) {
    throw new Problem(
      "bucket-unusable",
      `bucket ${bucket.name} is in ${bucket.region}; EC2 in ${provider.region} reads bundles only from its own region`,
      {
        hint: `give upload.bucket a value with \${{ region.name }} in it, or override it under regions.${provider.region}`,
      },
    );
  }
  if (bucket.ownership === "BucketOwnerEnforced") {
    const profile = input.account.profile === undefined ? "" : ` --profile ${input.account.profile}`;
    throw new Problem(
      "bucket-unusable",
      `bucket ${bucket.name} has ACLs switched off, so EC2 cannot be let in to the bundle (ACL ${input.acl})`,
      {
        hint: `aws s3api put-bucket-ownership-controls --bucket ${bucket.name} --ownership-controls 'Rules=[{ObjectOwnership=BucketOwnerPreferred}]' --region ${provider.region}${profile}`,
      },
    );
  }
  const probe = { bucket: bucket.name, key: joinKey(input.prefix, ".imgspec-probe") };
  const { removed } = await provider.probePut(probe, input.acl, context.signal);
  const left = removed ? "" : `; the empty ${probe.key} stays there, since it may not be deleted`;
  context.log(`bucket ${bucket.name} takes objects with the ACL ${input.acl}${left}`);
  await checkManifest(provider, input, context.signal);
}

/** EC2 reads a bundle whenever its image is launched: who overwrites its parts breaks the image. */
async function checkManifest(provider: Provider, input: PreflightInput, signal: AbortSignal): Promise<void> {
  const key = joinKey(input.prefix, `${input.bundleName}.manifest.xml`);
  if ((await provider.headObject({ bucket: input.bucket, key }, signal)) === null) return;
  throw new Problem("bucket-unusable", `there is a bundle at s3://${input.bucket}/${key} already`, {
    hint: `an image may need it: put \${{ build.id }} into upload.prefix, or delete it with its image`,
  });
}

async function checkName(provider: Provider, name: string, signal: AbortSignal): Promise<void> {
  const [taken] = await provider.findImages({ owners: ["self"], filters: { name: [name] } }, signal);
  if (!taken) return;
  throw new Problem("name-taken", `the name "${name}" belongs to ${taken.id} in ${provider.region}`, {
    hint: `put \${{ build.id }} into register.name, or deregister ${taken.id}`,
  });
}

/** An object key below a prefix that may be empty: EC2 refuses doubled slashes. */
export function joinKey(prefix: string, name: string): string {
  return prefix === "" ? name : `${prefix}/${name}`;
}
