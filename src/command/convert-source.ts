import type { Account, Cloud } from "../aws/cloud.ts";
import type { Image } from "../aws/provider.ts";
import { architectureOf } from "../bundle/manifest.ts";
import type { OpenedBundle } from "../bundle/opened-bundle.ts";
import { Problem } from "../problem.ts";
import type { ConvertedImage } from "../stage/conversion.ts";
import { isS3Url } from "../store/address.ts";
import { openBundleInS3 } from "../store/bundle-in-s3.ts";
import { toAccount } from "../store/locate.ts";

/** A bundle to convert, what is known of its image, and where the new one goes. */
export type ConvertSource = {
  readonly bundle: OpenedBundle;
  readonly image: ConvertedImage;
  /** The AMI, or where the manifest is. */
  readonly name: string;
  readonly account: Account;
};

export type SourceOptions = {
  readonly region?: string;
  readonly profile?: string;
  readonly fromRegion?: string;
  /** Where the parts of a bundle in files are. */
  readonly source?: string;
  /** PEM; also for manifests that are encrypted. */
  readonly privateKey: string;
};

/** Opens what a person named: an AMI, a manifest in S3, or one in a file. */
export async function openSource(
  cloud: Cloud,
  what: string,
  options: SourceOptions,
  signal: AbortSignal,
): Promise<ConvertSource> {
  if (/^ami-[0-9a-f]+$/.test(what)) return openImage(cloud, what, options, signal);
  if (isS3Url(what)) return openUrl(cloud, what, options, signal);
  const { openBundle } = await import("../bundle/opened-bundle.ts");
  const { source, privateKey } = options;
  const bundle = await openBundle(what, { privateKey, ...(source === undefined ? {} : { source }) });
  return { bundle, image: fromManifest(bundle), name: what, account: await toAccount(cloud, options) };
}

async function openUrl(
  cloud: Cloud,
  url: string,
  { region, profile, fromRegion, privateKey }: SourceOptions,
  signal: AbortSignal,
): Promise<ConvertSource> {
  const seeker = { profile, region: fromRegion, startRegion: region };
  const bundle = await openBundleInS3(cloud, url, { ...seeker, privateKey, signal });
  const account = region === undefined ? bundle.account : await toAccount(cloud, { region, profile });
  const image = fromManifest(bundle);
  // The ids of kernels and RAM disks are good in their own region only: --kernel names another.
  const isElsewhere = account.region !== bundle.account.region;
  return {
    bundle,
    image: isElsewhere ? { ...image, kernel: null, ramdisk: null } : image,
    name: url,
    account,
  };
}

async function openImage(
  cloud: Cloud,
  id: string,
  options: SourceOptions,
  signal: AbortSignal,
): Promise<ConvertSource> {
  const { profile, privateKey } = options;
  const account = await toAccount(cloud, options);
  const [found] = await cloud.account(account).findImages({ ids: [id] }, signal);
  if (!found) {
    throw new Problem("source-missing", `there is no image ${id} in ${account.region}`, {
      hint: "name its region with --region, or the account's profile with --profile",
    });
  }
  if (found.rootDeviceType !== "instance-store") {
    throw new Problem(
      "not-convertible",
      `${id} boots from ${found.rootDeviceType}, not from a bundle in S3`,
      {
        hint: "only images with an instance store root have to be converted",
      },
    );
  }
  const url = `s3://${found.location.replace(/^\//, "")}`;
  // EC2 reads a bundle in its own region only.
  const bundle = await openBundleInS3(cloud, url, { profile, region: account.region, privateKey, signal });
  return { bundle, image: fromImage(found, bundle), name: id, account };
}

function fromImage(image: Image, { manifest }: OpenedBundle): ConvertedImage {
  const { name, description, architecture, virtualization, kernel, ramdisk, enaSupport, tags } = image;
  return {
    name,
    description,
    sizeBytes: manifest.image.sizeBytes,
    architecture,
    virtualization,
    kernel,
    ramdisk,
    rootDevice: image.rootDeviceName,
    blockDeviceMappings: image.blockDeviceMappings,
    enaSupport,
    sriovNetSupport: image.sriovNetSupport === "simple",
    imdsV2: image.imdsSupport === "v2.0",
    tags,
  };
}

/** A manifest says nothing of drivers, of tags and, but for the kernel, of the virtualization. */
function fromManifest({ manifest }: OpenedBundle): ConvertedImage {
  const { machine, image } = manifest;
  const { blockDeviceMapping = [], kernel = null, ramdisk = null } = machine ?? {};
  const root = blockDeviceMapping.find(({ virtual }) => virtual === "root")?.device ?? "sda1";
  return {
    name: image.name,
    description: null,
    sizeBytes: image.sizeBytes,
    architecture: architectureOf(manifest),
    virtualization: null,
    kernel,
    ramdisk,
    rootDevice: toPath(root),
    blockDeviceMappings: blockDeviceMapping.map(({ virtual, device }) => ({
      virtual,
      device: toPath(device),
    })),
    enaSupport: false,
    sriovNetSupport: false,
    imdsV2: false,
    tags: {},
  };
}

function toPath(device: string): string {
  return device.startsWith("/dev/") ? device : `/dev/${device}`;
}
