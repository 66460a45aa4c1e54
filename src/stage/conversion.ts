import type { Tags, VolumeImageRequest } from "../aws/provider.ts";
import { Problem } from "../problem.ts";

/** What is known of an image that becomes a volume; null where nobody said it. */
export type ConvertedImage = {
  readonly name: string;
  readonly description: string | null;
  readonly sizeBytes: number;
  readonly architecture: string;
  readonly virtualization: string | null;
  readonly kernel: string | null;
  readonly ramdisk: string | null;
  readonly rootDevice: string;
  readonly blockDeviceMappings: VolumeImageRequest["blockDeviceMappings"];
  readonly enaSupport: boolean;
  readonly sriovNetSupport: boolean;
  /** Instances must use IMDSv2. */
  readonly imdsV2: boolean;
  readonly tags: Tags;
};

/** What shall be otherwise than in the image that is converted. */
export type Wishes = {
  readonly name?: string | undefined;
  readonly description?: string | undefined;
  readonly virtualization?: string | undefined;
  readonly kernel?: string | undefined;
  readonly ramdisk?: string | undefined;
  /** The image has drivers for enhanced networking. */
  readonly ena?: boolean | undefined;
  readonly volumeSizeGiB?: number | undefined;
  readonly volumeType: string;
  readonly tags: Tags;
};

/** An image to register, but for its snapshot, and how large a volume must be for it. */
export type Conversion = {
  readonly image: Omit<VolumeImageRequest, "root"> & {
    readonly root: Omit<VolumeImageRequest["root"], "snapshot">;
  };
  readonly volumeSizeGiB: number;
};

/**
 * What an image is registered as once its bytes are in a snapshot. Throws `not-convertible` when no instance could boot
 * it, and `usage-wrong` for a name or size that EC2 would refuse at the end.
 */
export function toConversion(source: ConvertedImage, isDisk: boolean, wishes: Wishes): Conversion {
  const kernel = wishes.kernel ?? source.kernel;
  const virtualization =
    wishes.virtualization ?? source.virtualization ?? (kernel !== null && !isDisk ? "paravirtual" : "hvm");
  expectBootable(source.name, virtualization, kernel, isDisk);
  const volumeSizeGiB = Math.max(1, Math.ceil(source.sizeBytes / 1024 ** 3));
  const isParavirtual = virtualization === "paravirtual";
  return {
    volumeSizeGiB,
    image: {
      name: toName(wishes.name ?? `${source.name}-ebs`),
      description: wishes.description ?? source.description,
      architecture: source.architecture,
      virtualization,
      // A machine that boots its own disk has no use for them, and EC2 refuses them.
      kernel: isParavirtual ? kernel : null,
      ramdisk: isParavirtual ? (wishes.ramdisk ?? source.ramdisk) : null,
      blockDeviceMappings: source.blockDeviceMappings.filter(({ virtual }) => /^ephemeral\d+$/.test(virtual)),
      tags: { ...ownTags(source.tags), ...wishes.tags },
      root: {
        device: source.rootDevice,
        sizeGiB: toSize(wishes.volumeSizeGiB, volumeSizeGiB),
        type: wishes.volumeType,
      },
      // A paravirtual kernel has no drivers for it.
      enaSupport: !isParavirtual && (wishes.ena ?? source.enaSupport),
      sriovNetSupport: !isParavirtual && source.sriovNetSupport,
      imdsV2: source.imdsV2,
    },
  };
}

function expectBootable(name: string, virtualization: string, kernel: string | null, isDisk: boolean): void {
  if (virtualization === "hvm" && !isDisk) {
    throw new Problem(
      "not-convertible",
      `the image of ${name} has no partition table and no boot loader, so no hvm instance could boot a volume of it`,
      {
        hint: "build it with bundle.partition gpt or mbr; a paravirtual one needs --virtualization paravirtual and a --kernel that boots bare file systems (PV-GRUB hd0)",
      },
    );
  }
  if (virtualization === "paravirtual" && kernel === null) {
    throw new Problem(
      "not-convertible",
      `${name} is paravirtual, and neither image nor bundle names a kernel`,
      {
        hint: `name the region's PV-GRUB with --kernel aki-…: ${isDisk ? "hd00, since it has a partition table" : "hd0, since it is a bare file system"}`,
      },
    );
  }
}

/** EC2 would tell only when all blocks are written. */
function toName(name: string): string {
  if (/^[a-zA-Z0-9 ()[\]./\-'@_]{3,128}$/.test(name)) return name;
  throw new Problem("usage-wrong", `EC2 would refuse "${name}" as the name of an image`, {
    hint: "say --name with 3 to 128 letters, digits, spaces and ( ) [ ] . / - ' @ _",
  });
}

function toSize(asked: number | undefined, least: number): number | null {
  if (asked === undefined) return null;
  if (asked >= least) return asked;
  throw new Problem(
    "usage-wrong",
    `the image needs a volume of ${least} GiB, and ${asked} GiB are asked for`,
    {
      hint: `say --volume-size ${least} or more, or leave it out`,
    },
  );
}

/** AWS keeps `aws:` to itself; the tags of the run that made the bundle would lead astray. */
function ownTags(tags: Tags): Tags {
  return Object.fromEntries(Object.entries(tags).filter(([key]) => !/^(aws|imgspec):/i.test(key)));
}
