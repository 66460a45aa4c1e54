import { createHash, randomBytes } from "node:crypto";
import type { AwsKeys } from "../aws/provider.ts";
import { toEc2Certificate } from "../bundle/ec2-certificate.ts";
import { partSizeBytes } from "../bundle/manifest.ts";
import { cleanAmiTools, runAmiTools } from "../machine/ami-tools.ts";
import type { HeldMachine } from "../machine/held-machine.ts";
import { quote } from "../machine/quote.ts";
import { toSize } from "../util/size.ts";
import { toBundleCommand, toUploadCommand } from "./ami-tools-commands.ts";
import { checkManifest, checkStored, readRemoteManifest, type ToolsManifest } from "./ami-tools-manifest.ts";
import { type Certificates, chooseCertificates, userPair } from "./certificates.ts";
import type { LaunchedInstance } from "./launch.ts";
import { type CertificateInput, type CheckedImage, joinKey } from "./preflight.ts";
import type { RegisterFacts } from "./register.ts";
import { bundleObjects } from "./resources.ts";
import type { Stage, StageContext } from "./stage.ts";
import { hold } from "./trust.ts";
import type { StoredPart, UploadedBundle } from "./upload.ts";

export type AmiToolsInput = {
  readonly on: LaunchedInstance;
  readonly checked: CheckedImage;
  readonly name: string;
  readonly sizeMib: number | null;
  readonly exclude: readonly string[];
  readonly partition: "gpt" | "mbr" | "none" | null;
  readonly inherit: boolean;
  readonly destination: string | null;
  readonly credentials: "instance-profile" | "builder";
  readonly bundleArguments: readonly string[];
  readonly uploadArguments: readonly string[];
  readonly bundleCommand: string;
  readonly uploadCommand: string;
  readonly bucket: string;
  readonly prefix: string;
  readonly acl: string;
  readonly certificate: CertificateInput;
  readonly blockDeviceMappings: readonly { readonly device: string; readonly virtual: string }[];
};

/** A bundle that Amazon's tools have put into S3. */
export type AmiToolsBundle = UploadedBundle &
  RegisterFacts & {
    readonly name: string;
    readonly digest: string;
    readonly sizeBytes: number;
    readonly bundledSizeBytes: number;
  };

export const amiTools: Stage<AmiToolsInput, AmiToolsBundle> = {
  kind: "bundle.ami-tools",
  title: "Bundle and upload with Amazon's AMI tools",
  exitCode: 6,
  summarize: ({ parts, sizeBytes, location }) =>
    `${toSize(sizeBytes)} in ${parts.length} part${parts.length === 1 ? "" : "s"} at s3://${location}`,
  run: async (input, context) => {
    const { account } = input.on;
    const certificates = await chooseCertificates(input.certificate, context.cloud.options);
    const keys = await keysOf(input, context);
    warn(input, keys, context);
    await using held = hold(input.on, context);
    await using traces = toTraces(held, context);
    await bundle(held, traces, input, certificates, context);
    const path = `${traces.work}/${input.name}.manifest.xml`;
    const made = await readRemoteManifest(held, path, context.signal);
    checkManifest(made, { certificates, accountId: input.checked.accountId, name: input.name });
    const objects = toObjects(made, input);
    const stored = [...objects.parts, objects.manifest];
    await context.scope.acquire(bundleObjects, {
      account,
      bucket: input.bucket,
      keys: stored.map(({ key }) => key),
      acl: input.acl,
      run: context.run.id,
      manifestSha1: objects.manifest.sha1,
    });
    await upload(held, traces, input, keys, context);
    await checkStored(context.cloud.account(account), input.bucket, stored, made, context.signal);
    const { image } = made.manifest;
    const { architecture, virtualization, kernel, ramdisk } = input.checked;
    return {
      ...objects,
      account,
      bucket: input.bucket,
      location: `${input.bucket}/${objects.manifest.key}`,
      name: input.name,
      digest: image.digest,
      sizeBytes: image.sizeBytes,
      bundledSizeBytes: image.bundledSizeBytes,
      ec2Key: certificates.ec2Name,
      architecture,
      virtualization,
      kernel,
      ramdisk,
      blockDeviceMappings: input.blockDeviceMappings,
    };
  },
};

async function keysOf({ on, credentials }: AmiToolsInput, context: StageContext): Promise<AwsKeys | null> {
  if (credentials === "instance-profile") return null;
  const keys = await context.cloud.account(on.account).credentials(context.signal);
  context.hide(keys.secretAccessKey);
  if (keys.sessionToken !== null) context.hide(keys.sessionToken);
  return keys;
}

/** What nobody can spare those who must use these tools; they shall know it. */
function warn({ on, certificate }: AmiToolsInput, keys: AwsKeys | null, { log }: StageContext): void {
  const { instanceId } = on;
  const whose =
    certificate.user === null
      ? "an X.509 private key that was made for this run"
      : `your X.509 private key ${certificate.user.privateKey}`;
  log(
    `warning: ec2-bundle-vol needs a private key: ${whose} is on ${instanceId} until the bundle is made, in a file on tmpfs that root can read`,
  );
  log(
    `warning: ec2-bundle-vol has the bundle's AES key in the argument list of a process on ${instanceId}, for every user there to see`,
  );
  if (keys === null) return;
  const temporary = keys.sessionToken === null ? "" : " and its session token";
  log(
    `warning: ec2-upload-bundle takes AWS keys as arguments: the secret key of ${keys.accessKeyId}${temporary} is in the process list of ${instanceId} while it uploads, for every user there to see; launch.iamInstanceProfile would spare you that`,
  );
}

type Traces = AsyncDisposable & { readonly name: string; work: string };

/** What is on the instance: the key files, and the image with its parts. Both go, however the stage ends. */
function toTraces(held: HeldMachine, { log }: StageContext): Traces {
  const name = `imgspec-ami-tools-${randomBytes(8).toString("hex")}`;
  return {
    name,
    work: "",
    async [Symbol.asyncDispose]() {
      await cleanAmiTools(held, name, this.work, log);
    },
  };
}

async function bundle(
  held: HeldMachine,
  traces: Traces,
  input: AmiToolsInput,
  certificates: Certificates,
  { signal, log }: StageContext,
): Promise<void> {
  const user = await userPair(certificates);
  const files = {
    "cert.pem": user.certificate,
    "pk.pem": user.privateKey,
    "cert-ec2.pem": await toEc2Certificate(certificates.ec2),
  };
  const writing = Object.entries(files).map(([file, text]) => `printf %s ${quote(text)} >"$keys/${file}"`);
  const { accountId, architecture, kernel, ramdisk } = input.checked;
  const further = input.bundleArguments;
  const facts = { ...input, account: accountId, architecture, kernel, ramdisk, further };
  await runAmiTools(
    held,
    {
      action: "bundle",
      name: traces.name,
      values: { destination: input.destination ?? "" },
      functions: {
        write_keys: writing.join(" &&\n"),
        bundle_command: toBundleCommand(input.bundleCommand, facts),
      },
      signal,
      log,
      onTold: (word, text) => {
        if (word === "work") traces.work = text;
      },
    },
    {
      code: "bundle-invalid",
      what: "ec2-bundle-vol",
      hint: "what it printed is among the last lines; bundle.amiTools.bundleArguments: [--debug] makes it say more",
    },
  );
}

async function upload(
  held: HeldMachine,
  { name, work }: Traces,
  input: AmiToolsInput,
  keys: AwsKeys | null,
  { signal, log, cloud }: StageContext,
): Promise<void> {
  const command = toUploadCommand(input.uploadCommand, {
    ...input,
    region: input.on.account.region,
    // Instances may know the endpoint by another address.
    url: cloud.options.instanceEndpointUrl ?? cloud.options.endpointUrl ?? null,
    keys,
    further: input.uploadArguments,
  });
  const functions = { upload_command: command };
  await runAmiTools(
    held,
    { action: "upload", name, values: { work }, functions, signal, log },
    {
      code: "upload-failed",
      what: "ec2-upload-bundle",
      hint: "its 501 NotImplemented often hides a 403: a permission, the clock of the instance, or the region",
    },
  );
}

/** Every part but the last is full. */
function toObjects(
  { manifest, bytes }: ToolsManifest,
  { prefix, name }: AmiToolsInput,
): { readonly parts: readonly StoredPart[]; readonly manifest: StoredPart } {
  const { parts, bundledSizeBytes } = manifest.image;
  return {
    parts: parts.map(({ index, fileName, sha1 }) => ({
      key: joinKey(prefix, fileName),
      sizeBytes: Math.min(partSizeBytes, bundledSizeBytes - index * partSizeBytes),
      sha1,
    })),
    manifest: {
      key: joinKey(prefix, `${name}.manifest.xml`),
      sizeBytes: bytes.byteLength,
      sha1: createHash("sha1").update(bytes).digest("hex"),
    },
  };
}
