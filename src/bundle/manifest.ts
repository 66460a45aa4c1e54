/** The version that every tool since 2007 writes, and the only one that can hold all fields below. */
export const currentVersion = "2007-10-10";

/** EC2 rejects a bundle whose parts are larger than this, bytes. */
export const partSizeBytes: number = 10 * 1024 * 1024;

/**
 * What describes a bundle and unlocks it: the contents of `NAME.manifest.xml`.
 * Null and empty lists stand for elements that are left out.
 */
export type Manifest = {
  /** As written: 3, 20070829, 2007-08-29 or 2007-10-10. */
  readonly version: string;
  readonly bundler: Bundler | null;
  /** Null in version 3, which knew nothing but i386. */
  readonly machine: MachineConfiguration | null;
  readonly image: BundledImage;
  /** Lower-case hex; null when there is none. EC2 wants one and does not check it. */
  readonly signature: string | null;
};

/** The program that made the bundle. */
type Bundler = { readonly name: string; readonly version: string; readonly release: string };

/** What the image runs on; kernel and ramdisk are ids (aki-, ari-) of paravirtual images. */
export type MachineConfiguration = {
  readonly architecture: string;
  readonly blockDeviceMapping: readonly Mapping[];
  readonly kernel: string | null;
  readonly ramdisk: string | null;
  readonly productCodes: readonly string[];
};

/** A virtual name such as `root` or `ephemeral0`, and the device it becomes. */
export type Mapping = { readonly virtual: string; readonly device: string };

/** The image, and how it was cut, encrypted and locked. */
export type BundledImage = {
  readonly name: string;
  /** The AWS account that owns it, twelve digits. */
  readonly user: string;
  /** machine, kernel or ramdisk; null before 2007-10-10, when every image was a machine. */
  readonly type: string | null;
  readonly kernelName: string | null;
  readonly ancestry: readonly string[];
  /** Hex SHA-1 of the tar stream: not of the image, nor of the compressed data. */
  readonly digest: string;
  readonly sizeBytes: number;
  readonly bundledSizeBytes: number;
  /** Key and IV for EC2, hex of RSA blocks. */
  readonly ec2: WrappedKey;
  /** The same for the owner; empty strings in bundles that only EC2 can open. */
  readonly owner: WrappedKey;
  readonly parts: readonly ManifestPart[];
};

/** An AES key and its IV, each wrapped for the same RSA key; lower-case hex. */
export type WrappedKey = { readonly key: string; readonly iv: string };

/** A file of the bundle beside the manifest; the SHA-1 is that of its encrypted bytes. */
export type ManifestPart = { readonly index: number; readonly fileName: string; readonly sha1: string };

/** What the manifest's machine is, also where old versions leave it out. */
export function architectureOf(manifest: Manifest): string {
  return manifest.machine?.architecture ?? "i386";
}

/** What a file of this bundle may be called: one path segment that says what it is. */
export function isSafeFileName(name: string): boolean {
  return name !== "" && name !== "." && name !== ".." && !/[/\\\p{Cc}]/u.test(name);
}
