import type { Image } from "../../src/aws/provider.ts";
import type { CertificateInput, CheckedImage, PreflightInput } from "../../src/stage/preflight.ts";
import type { VolumeCopyInput } from "../../src/stage/volume-copy.ts";
import { toWay } from "../../src/stage/way.ts";

export const account: { readonly region: string } = { region: "us-east-1" };

export const certificate: CertificateInput = {
  ec2: null,
  allowMismatch: false,
  user: null,
  regional: "commercial",
};

/** An instance store-backed AMI that is fit to build from, but for what a test changes. */
export function toImage(change: Partial<Image> = {}): Image {
  return {
    id: "ami-0123456789abcdef0",
    name: "amzn-ami-pv-2026.11-x86_64-s3",
    owner: "137112412989",
    state: "available",
    createdAt: "2026-11-01T00:00:00.000Z",
    architecture: "x86_64",
    virtualization: "paravirtual",
    rootDeviceType: "instance-store",
    rootDeviceName: "/dev/sda1",
    location: "amazon/image.manifest.xml",
    kernel: "aki-919dcaf8",
    ramdisk: null,
    enaSupport: false,
    sriovNetSupport: null,
    imdsSupport: null,
    isProtected: false,
    blockDeviceMappings: [],
    stateReason: null,
    description: null,
    tags: {},
    ...change,
  };
}

export function toChecked(source: Image, instanceTypes: readonly string[] = ["m3.medium"]): CheckedImage {
  return {
    accountId: "123456789012",
    source,
    instanceTypes,
    gateTypes: null,
    architecture: source.architecture,
    virtualization: source.virtualization,
    kernel: source.kernel,
    ramdisk: source.ramdisk,
  };
}

/** What of a root gets into its image, by default. */
export function toCopy(change: Partial<VolumeCopyInput> = {}): VolumeCopyInput {
  return {
    partition: "auto",
    sizeMib: null,
    exclude: ["/tmp/**", "/proc/**", "/sys/**", "/run/**", "/mnt/**"],
    include: [],
    fstab: "keep",
    hygiene: {},
    allow: [],
    script: null,
    ...change,
  };
}

/** A preflight that is in order where there are the bucket `acme-images` and an AMI of this name. */
export function toPreflight(change: Partial<PreflightInput> = {}): PreflightInput {
  return {
    account,
    source: {
      kind: "find",
      name: "amzn-ami-pv-*-x86_64-s3",
      owners: ["amazon"],
      architecture: null,
      virtualization: null,
      newest: true,
      filters: {},
    },
    instanceTypes: ["m3.medium", "m3.large"],
    bucket: "acme-images",
    prefix: "web/1",
    acl: "aws-exec-read",
    partition: "auto",
    bundleName: "image",
    imageName: "web 1",
    way: toWay({}),
    launch: { subnet: null, securityGroups: [], iamInstanceProfile: null },
    architecture: null,
    virtualization: null,
    kernel: null,
    ramdisk: null,
    certificate,
    gate: null,
    ...change,
  };
}
