import { createHash, randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Account } from "../aws/cloud.ts";
import { withFiles } from "../bundle/file-problem.ts";
import { type BundleKey, newBundleKey } from "../bundle/key.ts";
import { type PackedImage, pack, partName } from "../bundle/pack.ts";
import { toManifest } from "../bundle/to-manifest.ts";
import { endHeld } from "../machine/held-end.ts";
import type { HeldMachine } from "../machine/held-machine.ts";
import { openRootImage } from "../machine/root-image.ts";
import type { HygieneFinding } from "../machine/root-image-lines.ts";
import type { RootImageRequest } from "../machine/root-image-program.ts";
import { Problem } from "../problem.ts";
import { toSize } from "../util/size.ts";
import { findInstancePlace } from "./bundle-place.ts";
import { bundleThere } from "./bundle-there.ts";
import { chooseCertificates, userPair } from "./certificates.ts";
import type { LaunchedInstance } from "./launch.ts";
import type { CertificateInput, CheckedImage } from "./preflight.ts";
import { spool } from "./resources.ts";
import type { Stage, StageContext } from "./stage.ts";
import { hold, login } from "./trust.ts";
import { toRootImageRequest, type VolumeCopyInput } from "./volume-copy.ts";

export type BundleInput = {
  readonly on: LaunchedInstance;
  readonly checked: CheckedImage;
  /** Where it is made; `auto`: on the instance, if that can. */
  readonly at: "auto" | "instance" | "builder";
  /** Where an instance puts the parts. */
  readonly upload: { readonly bucket: string; readonly prefix: string; readonly acl: string };
  readonly name: string;
  readonly copy: VolumeCopyInput;
  /** Deflate level 1 to 9; null: what suits the place. */
  readonly compression: number | null;
  readonly certificate: CertificateInput;
  readonly blockDeviceMappings: readonly { readonly device: string; readonly virtual: string }[];
};

type BundlePart = {
  readonly name: string;
  /** Null: an instance has put it into S3. */
  readonly path: string | null;
  readonly sizeBytes: number;
  readonly sha1: string;
};

/** A bundle on its way to S3: on the builder's disk, or but for the manifest there already. */
export type Bundle = {
  readonly account: Account;
  readonly name: string;
  readonly manifestPath: string;
  readonly manifestSha1: string;
  readonly parts: readonly BundlePart[];
  /** Nothing is left to put but the manifest, whose place is taken. */
  readonly isStored: boolean;
  /** SHA-1 of the tar stream, as the manifest has it. */
  readonly digest: string;
  /** SHA-256 of the raw image. */
  readonly imageSha256: string | null;
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
    const { image: packed, findings, key, isStored, ...made } = await make(input, path, context);
    const parts = packed.parts.map(({ index, sizeBytes, sha1 }) => ({
      name: made.partName(index),
      path: isStored ? null : join(path, String(index)),
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
      partName: made.partName,
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
      isStored,
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

/** What was packed, wherever that was, and what a manifest says of it. */
export type Packed = {
  readonly image: PackedImage;
  readonly findings: readonly HygieneFinding[];
  readonly key: BundleKey;
  readonly partName: (index: number) => string;
  readonly isStored: boolean;
};

async function make(input: BundleInput, directory: string, context: StageContext): Promise<Packed> {
  await using held = hold(input.on, context);
  await using place = await findInstancePlace(input, held, context);
  const request = await toRootImageRequest(input.copy, input.on.publicKey);
  if (place !== null) return await bundleThere(input, request, place, context);
  const key = newBundleKey();
  const { image, findings } = await packHere(input, request, key, directory, held, context);
  return {
    image,
    findings,
    key,
    partName: (index) => partName(input.name, index, image.parts.length),
    isStored: false,
  };
}

/** A stream cannot go on in the middle, but the root is still there to begin again. */
const mostStreams = 6;

type PackedRoot = Pick<Packed, "image" | "findings">;

async function packHere(
  input: BundleInput,
  request: RootImageRequest,
  key: BundleKey,
  directory: string,
  held: HeldMachine,
  context: StageContext,
): Promise<PackedRoot> {
  for (let stream = 1; ; stream += 1) {
    const mark = `imgspec-${randomBytes(12).toString("hex")}`;
    try {
      return await packRoot(input, { ...request, mark }, key, directory, context);
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== "connect-failed") throw error;
      // What makes the image has not heard of the loss, and its file may have the room that the next one needs.
      await endHeld(held, mark);
      if (context.signal.aborted || stream === mostStreams) throw error;
      context.log(`${error.message}; streaming the root again from the start`);
    }
  }
}

async function packRoot(
  input: BundleInput,
  request: RootImageRequest & { readonly mark: string },
  key: BundleKey,
  directory: string,
  context: StageContext,
): Promise<PackedRoot> {
  const { signal } = context;
  await using machine = await login(input.on, context);
  const root = await openRootImage(machine, {
    ...request,
    sudo: input.on.user !== "root",
    signal,
    log: (line) => context.log(line),
  });
  const image = await pack(root.chunks, {
    name: input.name,
    sizeBytes: root.sizeBytes,
    modifiedAt: new Date(),
    key,
    ...(input.compression === null ? {} : { level: input.compression }),
    imageDigest: true,
    signal,
    onPart: (part) => write(join(directory, String(part.index)), part.bytes),
    onProgress: (doneBytes) => context.progress(doneBytes, root.sizeBytes),
  });
  await root.finished;
  return { image, findings: root.findings };
}

function write(path: string, content: Uint8Array | string): Promise<void> {
  return withFiles(`cannot write ${path}`, () => writeFile(path, content, { mode: 0o600 }));
}

function sha1Of(text: string): string {
  return createHash("sha1").update(text).digest("hex");
}
