import { AwsFault } from "../fault.ts";
import { toItems, type XmlValue } from "../xml.ts";
import { done, type Ec2Action, type Ec2Call, proceed } from "./ec2-call.ts";
import { filtered } from "./filters.ts";
import { toPage } from "./pages.ts";
import { isProtected, toProtection } from "./protection.ts";
import type { Image } from "./records.ts";
import { toTagSet } from "./tags.ts";

/** A new image stays `pending` for as long, so that nobody gets used to images that are there at once. */
const pendingMs = 300;

/** The image of this id, or EC2's error. */
export function imageOf(images: ReadonlyMap<string, Image>, id: string): Image {
  const image = images.get(id);
  if (image) return image;
  if (!/^ami-([0-9a-f]{8}|[0-9a-f]{17})$/.test(id)) {
    throw new AwsFault("InvalidAMIID.Malformed", `Invalid id: "${id}"`);
  }
  throw new AwsFault("InvalidAMIID.NotFound", `The image id '[${id}]' does not exist`);
}

export function isAvailable(image: Image): boolean {
  return Date.now() - Date.parse(image.createdAt) >= pendingMs;
}

const describeImages: Ec2Action = (call) => {
  const { params, region } = call;
  const ids = params.list("ImageId");
  for (const id of ids) imageOf(region.images, id);
  const owners = params.list("Owner");
  const users = params.list("ExecutableBy");
  const named = [...region.images.values()]
    .filter(({ id }) => ids.length === 0 || ids.includes(id))
    .filter((image) => owners.length === 0 || owners.some((owner) => isOwnedBy(call, image, owner)))
    .filter((image) => mayList(call, image) || ids.includes(image.id))
    .filter((image) => users.length === 0 || users.some((user) => isExecutableBy(call, image, user)));
  const chosen = filtered(
    params,
    named,
    {
      name: ({ name }) => name,
      description: ({ description }) => description,
      "image-id": ({ id }) => id,
      "image-type": () => "machine",
      architecture: ({ architecture }) => architecture,
      "virtualization-type": ({ virtualization }) => virtualization,
      "root-device-type": (image) => rootDeviceTypeOf(image),
      "root-device-name": ({ rootDeviceName }) => rootDeviceName,
      hypervisor: () => "xen",
      state: (image) => stateOf(image),
      "is-public": (image) => isPublic(image),
      "manifest-location": ({ location }) => location,
      "owner-id": ({ ownerId }) => ownerId,
      "owner-alias": ({ ownerAlias }) => ownerAlias,
      "kernel-id": ({ kernelId }) => kernelId,
      "ramdisk-id": ({ ramdiskId }) => ramdiskId,
      "block-device-mapping.snapshot-id": ({ volume }) => volume?.snapshotId ?? null,
      "creation-date": ({ createdAt }) => createdAt,
      "ena-support": ({ enaSupport }) => enaSupport,
      "sriov-net-support": ({ sriovNetSupport }) => sriovNetSupport,
      "block-device-mapping.device-name": ({ mappings }) => mappings.map(({ device }) => device),
    },
    ({ tags }) => tags,
  );
  const page = toPage(params, chosen);
  return { imagesSet: toItems(page.things.map(toImage)), nextToken: page.nextToken };
};

function isOwnedBy({ world }: Ec2Call, image: Image, owner: string): boolean {
  return (
    image.ownerId === (owner === "self" ? world.identity.accountId : owner) || image.ownerAlias === owner
  );
}

/** Others no longer find a deprecated image unless they ask for it (User Guide, "Deprecate an AMI"). */
function mayList(call: Ec2Call, image: Image): boolean {
  return (
    call.params.flag("IncludeDeprecated") ||
    !image.deprecatedAt ||
    Date.parse(image.deprecatedAt) > Date.now() ||
    isOwnedBy(call, image, "self")
  );
}

function isExecutableBy({ world }: Ec2Call, image: Image, user: string): boolean {
  if (user === "all") return isPublic(image);
  const id = user === "self" ? world.identity.accountId : user;
  return image.launchPermissions.some(({ userId }) => userId === id);
}

function isPublic({ launchPermissions }: Image): boolean {
  return launchPermissions.some(({ group }) => group === "all");
}

function stateOf(image: Image): string {
  return isAvailable(image) ? "available" : "pending";
}

/** What EC2 calls the root of an image. */
export function rootDeviceTypeOf({ volume }: Image): "ebs" | "instance-store" {
  return volume ? "ebs" : "instance-store";
}

function toMappings({ volume, mappings, rootDeviceName }: Image): XmlValue {
  const root = volume && {
    deviceName: rootDeviceName,
    ebs: {
      snapshotId: volume.snapshotId,
      volumeSize: volume.sizeGiB,
      volumeType: volume.type,
      deleteOnTermination: volume.isDeletedWithInstance,
      encrypted: volume.isEncrypted,
    },
  };
  const others = mappings.map(({ device, virtual }) => ({ deviceName: device, virtualName: virtual }));
  return toItems(root ? [root, ...others] : others);
}

function toImage(image: Image): XmlValue {
  return {
    imageId: image.id,
    imageLocation: image.location,
    imageState: stateOf(image),
    imageOwnerId: image.ownerId,
    imageOwnerAlias: image.ownerAlias ?? undefined,
    creationDate: image.createdAt,
    isPublic: isPublic(image),
    architecture: image.architecture,
    imageType: "machine",
    kernelId: image.kernelId ?? undefined,
    ramdiskId: image.ramdiskId ?? undefined,
    sriovNetSupport: image.sriovNetSupport ?? undefined,
    enaSupport: image.enaSupport || undefined,
    imdsSupport: image.imdsSupport ?? undefined,
    deprecationTime: image.deprecatedAt ?? undefined,
    deregistrationProtection: toProtection(image),
    name: image.name,
    description: image.description ?? undefined,
    platformDetails: "Linux/UNIX",
    usageOperation: "RunInstances",
    rootDeviceType: rootDeviceTypeOf(image),
    rootDeviceName: image.rootDeviceName,
    blockDeviceMapping: toMappings(image),
    virtualizationType: image.virtualization,
    hypervisor: "xen",
    tagSet: toTagSet(image.tags),
  };
}

/** An image of one's own; another's is there but may not be changed. */
export function ownImageOf({ params, region, world }: Ec2Call): Image {
  const image = imageOf(region.images, params.required("ImageId"));
  if (image.ownerId === world.identity.accountId) return image;
  throw new AwsFault("AuthFailure", `Not authorized for image:${image.id}`, { status: 403 });
}

const deregisterImage: Ec2Action = (call) => {
  const image = ownImageOf(call);
  if (isProtected(image)) {
    const text = `The AMI ${image.id} is protected from deregistration. Disable deregistration protection first.`;
    throw new AwsFault("OperationNotPermitted", text);
  }
  proceed(call);
  call.region.images.delete(image.id);
  return { ...done };
};

export const imageActions: Readonly<Record<string, Ec2Action>> = {
  DescribeImages: describeImages,
  DeregisterImage: deregisterImage,
};
