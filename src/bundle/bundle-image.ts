import { Problem } from "../problem.ts";
import type { BundleSink } from "./bundle-sink.ts";
import type { ImageSource } from "./image-source.ts";
import { newBundleKey } from "./key.ts";
import type { Manifest, Mapping } from "./manifest.ts";
import { pack } from "./pack.ts";
import { readManifest } from "./read-manifest.ts";
import { toManifest } from "./to-manifest.ts";
import type { UserCertificate } from "./user-certificate.ts";

/** EC2 takes no larger root volume of an instance store-backed AMI. */
export const largestImageBytes: number = 10 * 1024 ** 3;

/** How to bundle an image, and for whom. */
export type BundleOptions = {
  /** Of the bundle, and the beginning of every file's name. */
  readonly name: string;
  /** The AWS account that will own the image: twelve digits, dashes allowed. */
  readonly account: string;
  /** `x86_64` or `i386`. */
  readonly architecture: string;
  /** Such as `aki-…`, of a paravirtual image. */
  readonly kernel?: string;
  readonly ramdisk?: string;
  readonly blockDeviceMappings?: readonly Mapping[];
  readonly productCodes?: readonly string[];
  /** PEM of the certificate or public key of the EC2 that shall open the bundle: see `ec2PublicKey`. */
  readonly ec2Key: string;
  /** Opens the bundle too, and signs the manifest. */
  readonly user: UserCertificate;
  /** Also images that EC2 is known to refuse for their size. */
  readonly anySize?: boolean;
  /** Of compression, 1 to 9; absent: 4. */
  readonly level?: number;
  /** Also makes the SHA-256 of the raw image. */
  readonly imageDigest?: boolean;
  readonly signal: AbortSignal;
  /** Called with the bytes of the image done so far. */
  onProgress?(doneBytes: number): void;
};

/** A bundle that was made; what else it says is in its manifest. */
export type MadeBundle = {
  readonly manifest: Manifest;
  /** The manifest as it was written, byte for byte. */
  readonly text: string;
  /** Hex SHA-256 of the raw image, if it was asked for. */
  readonly imageSha256: string | null;
};

/**
 * Bundles an image into a sink, in one pass and bounded memory. When it fails, the sink's owner disposes of it and
 * nothing is left. Throws `bundle-invalid` for an image of no or of too many bytes, or not of the size it announced.
 */
export async function bundleImage(
  image: ImageSource,
  sink: BundleSink,
  options: BundleOptions,
): Promise<MadeBundle> {
  checkSize(image.sizeBytes, options);
  const key = newBundleKey();
  const packed = await pack(image.chunks, {
    name: options.name,
    sizeBytes: image.sizeBytes,
    modifiedAt: image.modifiedAt,
    ...(image.extents ? { extents: image.extents } : {}),
    key,
    signal: options.signal,
    onPart: (part) => sink.writePart(part),
    ...(options.level === undefined ? {} : { level: options.level }),
    imageDigest: options.imageDigest ?? false,
    onProgress: (doneBytes) => options.onProgress?.(doneBytes),
  });
  const text = toManifest(packed, {
    name: options.name,
    account: options.account,
    architecture: options.architecture,
    kernel: options.kernel ?? null,
    ramdisk: options.ramdisk ?? null,
    blockDeviceMappings: options.blockDeviceMappings ?? [],
    productCodes: options.productCodes ?? [],
    key,
    ec2Key: options.ec2Key,
    userCertificate: options.user.certificate,
    userPrivateKey: options.user.privateKey,
    ...(sink.partName ? { partName: sink.partName.bind(sink) } : {}),
  });
  const manifest = readManifest(text);
  options.signal.throwIfAborted();
  await sink.finish(manifest, text);
  return { manifest, text, imageSha256: packed.imageSha256 };
}

function checkSize(sizeBytes: number, { anySize = false }: BundleOptions): void {
  if (sizeBytes === 0) throw new Problem("bundle-invalid", "the image is empty");
  if (sizeBytes > largestImageBytes && !anySize) {
    throw new Problem(
      "bundle-invalid",
      `the image has ${sizeBytes} bytes; EC2 takes at most 10 GiB (${largestImageBytes})`,
      { hint: "bundle it all the same with --no-size-checks" },
    );
  }
}
