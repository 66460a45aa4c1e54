import { architectureOf, type Manifest } from "../../bundle/manifest.ts";
import { unpack } from "../../bundle/unpack.ts";
import { AwsFault } from "../fault.ts";
import { invalid, openBundle, toInvalidManifest } from "./bundle-access.ts";
import { type Ec2Action, type Ec2Call, proceed } from "./ec2-call.ts";
import type { Image } from "./records.ts";
import { newId } from "./state.ts";
import { readTagSpecifications } from "./tags.ts";
import { readVolumeImage } from "./volume-image.ts";

/** A whole bundle must be read in this time. */
const checkDeadlineMs = 10 * 60 * 1000;

/** What is said of the root of an image, and read out of what it is made of. */
type RootOfImage = Pick<Image, "location" | "isBundled" | "rootDeviceName" | "mappings" | "volume"> & {
  readonly manifest?: Manifest;
};

/** Registers a bundle, or a snapshot. EC2 checks the parts when it launches the image; here they are checked at once. */
export const registerImage: Ec2Action = async (call) => {
  const { params, region, world } = call;
  const name = newName(call);
  const virtualization = params.text("VirtualizationType") ?? "paravirtual";
  if (virtualization !== "hvm" && virtualization !== "paravirtual") {
    throw new AwsFault(
      "InvalidParameterValue",
      `Value (${virtualization}) for parameter virtualizationType is invalid.`,
    );
  }
  const tags = readTagSpecifications(params, "image");
  const { manifest, ...root } = params.has("ImageLocation") ? await readBundle(call) : readVolume(call, name);
  proceed(call);
  const image: Image = {
    id: newId("ami"),
    name,
    description: params.text("Description") ?? null,
    ownerId: world.identity.accountId,
    ownerAlias: null,
    createdAt: new Date().toISOString(),
    architecture: params.text("Architecture") ?? (manifest ? architectureOf(manifest) : "i386"),
    virtualization,
    kernelId: params.text("KernelId") ?? manifest?.machine?.kernel ?? null,
    ramdiskId: params.text("RamdiskId") ?? manifest?.machine?.ramdisk ?? null,
    ...root,
    sriovNetSupport: params.text("SriovNetSupport") ?? null,
    enaSupport: params.flag("EnaSupport"),
    launchPermissions: [],
    imdsSupport: params.text("ImdsSupport") ?? null,
    deprecatedAt: null,
    protection: null,
    tags,
  };
  // Another call may have taken the name while the parts were read.
  newName(call);
  region.images.set(image.id, image);
  return { imageId: image.id };
};

function readVolume(call: Ec2Call, name: string): RootOfImage {
  if (!call.params.has("BlockDeviceMapping"))
    throw new AwsFault("MissingParameter", "The request must contain the parameter ImageLocation");
  const location = `${call.world.identity.accountId}/${name}`;
  return { location, isBundled: false, ...readVolumeImage(call) };
}

async function readBundle(call: Ec2Call): Promise<RootOfImage> {
  const { params, region, world } = call;
  const location = locationOf(call);
  const mappings = readMappings(call);
  const bundle = await openBundle({
    s3: world.s3,
    ec2Keys: world.identity.ec2Keys,
    region: region.name,
    location,
  });
  const { manifest } = bundle;
  if (manifest.image.user !== world.identity.accountId) {
    throw invalid(
      `The manifest belongs to account ${manifest.image.user}, not to ${world.identity.accountId}`,
    );
  }
  const signal = AbortSignal.any([world.closing.signal, AbortSignal.timeout(checkDeadlineMs)]);
  try {
    await unpack(manifest, { ...bundle, signal });
  } catch (error) {
    throw toInvalidManifest(error);
  }
  return {
    location,
    isBundled: true,
    rootDeviceName: params.text("RootDeviceName") ?? rootDeviceOf(manifest),
    mappings: mappings ?? mappingsOf(manifest),
    manifest,
  };
}

function newName({ params, region, world }: Ec2Call): string {
  const name = params.required("Name");
  if (!/^[a-zA-Z0-9 ()[\]./\-'@_]{3,128}$/.test(name)) {
    throw new AwsFault(
      "InvalidAMIName.Malformed",
      "AMI names must be between 3 and 128 characters long, and may contain letters, numbers, '(', ')', '.', '-', '/' and '_'",
    );
  }
  const twin = [...region.images.values()].find(
    (one) => one.name === name && one.ownerId === world.identity.accountId,
  );
  if (twin)
    throw new AwsFault("InvalidAMIName.Duplicate", `AMI name ${name} is already in use by AMI ${twin.id}`);
  return name;
}

function locationOf({ params }: Ec2Call): string {
  const location = params.required("ImageLocation");
  const path = location.replace(/^\//, "");
  if (path.indexOf("/") > 0 && path.endsWith(".manifest.xml")) return path;
  throw new AwsFault(
    "InvalidAMIAttributeItemValue",
    `Invalid attribute item value "${location}" for ImageLocation item type.`,
  );
}

function readMappings({ params }: Ec2Call): Image["mappings"] | undefined {
  const groups = params.groups("BlockDeviceMapping");
  if (groups.length === 0) return undefined;
  return groups.map((mapping) => {
    const device = mapping.required("DeviceName");
    if (mapping.has("Ebs")) {
      throw new AwsFault(
        "InvalidBlockDeviceMapping",
        "EBS block device mappings not supported for instance-store AMIs",
      );
    }
    const virtual = mapping.required("VirtualName");
    if (!/^(ephemeral\d{1,2}|ami|root|swap)$/.test(virtual)) {
      throw new AwsFault("InvalidBlockDeviceMapping", `Invalid virtual name: ${virtual}`);
    }
    return { device, virtual };
  });
}

function rootDeviceOf({ machine }: Manifest): string {
  const root = machine?.blockDeviceMapping.find(({ virtual }) => virtual === "root")?.device ?? "/dev/sda1";
  return root.startsWith("/dev/") ? root : `/dev/${root}`;
}

function mappingsOf({ machine }: Manifest): Image["mappings"] {
  return (machine?.blockDeviceMapping ?? []).filter(({ virtual }) => /^(ephemeral|swap)/.test(virtual));
}
