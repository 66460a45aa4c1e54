import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Account } from "../aws/cloud.ts";
import { withFiles } from "../bundle/file-problem.ts";
import { newBundleKey } from "../bundle/key.ts";
import { type PackedImage, pack, partName } from "../bundle/pack.ts";
import { toManifest } from "../bundle/to-manifest.ts";
import { openRootImage } from "../machine/root-image.ts";
import type { HygieneFinding } from "../machine/root-image-lines.ts";
import { toSize } from "../util/size.ts";
import { chooseCertificates, userPair } from "./certificates.ts";
import type { LaunchedInstance } from "./launch.ts";
import type { CertificateInput, CheckedImage } from "./preflight.ts";
import { spool } from "./resources.ts";
import type { Stage, StageContext } from "./stage.ts";
import { login } from "./trust.ts";
import { toRootImageRequest, type VolumeCopyInput } from "./volume-copy.ts";

export type BundleInput = {
  readonly on: LaunchedInstance;
  readonly checked: CheckedImage;
  readonly name: string;
  readonly copy: VolumeCopyInput;
  readonly compression: number;
  readonly certificate: CertificateInput;
  readonly blockDeviceMappings: readonly { readonly device: string; readonly virtual: string }[];
};

type BundlePart = {
  readonly name: string;
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha1: string;
};

/** A bundle on the builder's disk, on its way to S3. */
export type Bundle = {
  readonly account: Account;
  readonly name: string;
  readonly manifestPath: string;
  readonly manifestSha1: string;
  readonly parts: readonly BundlePart[];
  /** SHA-1 of the tar stream, as the manifest has it. */
  readonly digest: string;
  /** SHA-256 of the raw image. */
  readonly imageSha256: string;
  readonly sizeBytes: number;
  readonly bundledSizeBytes: number;
  /** Whose key opens it: a variant's name or the path of a certificate. */
  readonly ec2Key: string;
  readonly architecture: string;
  readonly virtualization: string;
  readonly kernel: string | null;
  readonly ramdisk: string | null;
  readonly blockDeviceMappings: readonly { readonly device: string; readonly virtual: string }[];
  /** Keys, credentials and traces that were found on the way, and what was done with them. */
  readonly hygiene: readonly HygieneFinding[];
};

export const bundle: Stage<BundleInput, Bundle> = {
  kind: "bundle.native",
  title: "Bundle the root volume",
  exitCode: 6,
  summarize: ({ parts, sizeBytes, bundledSizeBytes }) =>
    `${toSize(sizeBytes)} in ${parts.length} part${parts.length === 1 ? "" : "s"} of together ${toSize(bundledSizeBytes)}`,
  run: async (input, context) => {
    const certificates = await chooseCertificates(input.certificate, context.cloud.options);
    const directory = join(context.run.directory, "spool", context.task.replaceAll("/", "-"));
    const { path } = await context.scope.acquire(spool, directory);
    const key = newBundleKey();
    const { packed, findings } = await packRoot(input, key, path, context);
    const parts = packed.parts.map(({ index, sizeBytes, sha1 }) => ({
      name: partName(input.name, index, packed.parts.length),
      path: join(path, String(index)),
      sizeBytes,
      sha1,
    }));
    const user = await userPair(certificates);
    const manifest = toManifest(packed, {
      name: input.name,
      account: input.checked.accountId,
      architecture: input.checked.architecture,
      kernel: input.checked.kernel,
      ramdisk: input.checked.ramdisk,
      blockDeviceMappings: input.blockDeviceMappings,
      key,
      ec2Key: certificates.ec2,
      userCertificate: user.certificate,
      userPrivateKey: user.privateKey,
    });
    const manifestPath = join(path, `${input.name}.manifest.xml`);
    await write(manifestPath, manifest);
    const saved = Math.round((1 - packed.bundledSizeBytes / packed.sizeBytes) * 100);
    context.log(
      `${parts.length} parts, ${saved} % smaller than the image, key wrapped for ${certificates.ec2Name}`,
    );
    return {
      account: input.on.account,
      name: input.name,
      manifestPath,
      manifestSha1: sha1Of(manifest),
      parts,
      digest: packed.digest,
      imageSha256: packed.imageSha256,
      sizeBytes: packed.sizeBytes,
      bundledSizeBytes: packed.bundledSizeBytes,
      ec2Key: certificates.ec2Name,
      architecture: input.checked.architecture,
      virtualization: input.checked.virtualization,
      kernel: input.checked.kernel,
      ramdisk: input.checked.ramdisk,
      blockDeviceMappings: input.blockDeviceMappings,
      hygiene: findings,
    };
  },
};

async function packRoot(
  input: BundleInput,
  key: ReturnType<typeof newBundleKey>,
  directory: string,
  context: StageContext,
): Promise<{ readonly packed: PackedImage; readonly findings: readonly HygieneFinding[] }> {
  const { signal } = context;
  await using machine = await login(input.on, context);
  const root = await openRootImage(machine, {
    ...(await toRootImageRequest(input.copy, input.on.publicKey)),
    sudo: input.on.user !== "root",
    signal,
    log: (line) => context.log(line),
  });
  const packed = await pack(root.chunks, {
    name: input.name,
    sizeBytes: root.sizeBytes,
    modifiedAt: new Date(),
    key,
    level: input.compression,
    signal,
    onPart: (part) => write(join(directory, String(part.index)), part.bytes),
    onProgress: (doneBytes) => context.progress(doneBytes, root.sizeBytes),
  });
  await root.finished;
  return { packed, findings: root.findings };
}

function write(path: string, content: Uint8Array | string): Promise<void> {
  return withFiles(`cannot write ${path}`, () => writeFile(path, content, { mode: 0o600 }));
}

function sha1Of(text: string): string {
  return createHash("sha1").update(text).digest("hex");
}
