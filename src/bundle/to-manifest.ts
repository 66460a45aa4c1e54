import { Problem } from "../problem.ts";
import type { BundleKey } from "./key.ts";
import { currentVersion, type Manifest, type Mapping } from "./manifest.ts";
import { type PackedImage, partName } from "./pack.ts";
import { toSignedManifestXml } from "./signature.ts";
import { wrapKey } from "./wrap.ts";

/** What a manifest says beside what was packed. */
export type ManifestFacts = {
  readonly name: string;
  /** The AWS account that will own the image: twelve digits, dashes allowed. */
  readonly account: string;
  readonly architecture: string;
  readonly kernel: string | null;
  readonly ramdisk: string | null;
  readonly blockDeviceMappings: readonly Mapping[];
  readonly productCodes?: readonly string[];
  readonly ancestry?: readonly string[];
  readonly key: BundleKey;
  /** PEM of the certificate, or bare public key, of the EC2 that shall open the bundle. */
  readonly ec2Key: string;
  readonly userCertificate: string;
  /** Signs the manifest. */
  readonly userPrivateKey: string;
  /** The file name of a part. Absent: as Amazon's tools name it. */
  readonly partName?: (index: number) => string;
};

/** As Amazon's tools split theirs, 1.5 and 3; a test holds them against package.json. */
export const bundler = { name: "imgspec", version: "0.1", release: "0" } as const;

/** The signed manifest of a packed image, as text: what goes into `NAME.manifest.xml`, byte for byte. */
export function toManifest(packed: PackedImage, facts: ManifestFacts): string {
  const manifest: Manifest = {
    version: currentVersion,
    bundler,
    machine: {
      architecture: facts.architecture,
      blockDeviceMapping: facts.blockDeviceMappings.toSorted((a, b) => (a.virtual < b.virtual ? -1 : 1)),
      kernel: facts.kernel,
      ramdisk: facts.ramdisk,
      productCodes: facts.productCodes ?? [],
    },
    image: {
      name: facts.name,
      user: toAccountId(facts.account),
      type: "machine",
      kernelName: null,
      ancestry: facts.ancestry ?? [],
      digest: packed.digest,
      sizeBytes: packed.sizeBytes,
      bundledSizeBytes: packed.bundledSizeBytes,
      ec2: wrapKey(facts.key, facts.ec2Key),
      owner: wrapKey(facts.key, facts.userCertificate),
      parts: packed.parts.map(({ index, sha1 }) => ({
        index,
        fileName: facts.partName?.(index) ?? partName(facts.name, index, packed.parts.length),
        sha1,
      })),
    },
    signature: null,
  };
  return toSignedManifestXml(manifest, facts.userPrivateKey);
}

function toAccountId(account: string): string {
  const digits = account.replaceAll("-", "");
  if (/^\d{12}$/.test(digits)) return digits;
  throw new Problem("usage-wrong", `"${account}" is no AWS account id`, { hint: "it has twelve digits" });
}
