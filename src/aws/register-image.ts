import {
  type Image as Ec2Image,
  RegisterImageCommand,
  type RegisterImageCommandInput,
} from "@aws-sdk/client-ec2";
import type { RegisterRequest, VolumeImageRequest } from "./provider.ts";
import { toTagList } from "./tags.ts";

/** The call that registers an image, of a bundle or of a snapshot. */
export function toRegisterImage(request: RegisterRequest): RegisterImageCommand {
  const { description, kernel, ramdisk, blockDeviceMappings, tags } = request;
  const virtual = blockDeviceMappings.map((one) => ({ DeviceName: one.device, VirtualName: one.virtual }));
  return new RegisterImageCommand({
    Name: request.name,
    // EC2 decides which architectures and virtualizations there are.
    Architecture: request.architecture as never,
    VirtualizationType: request.virtualization,
    BlockDeviceMappings: virtual,
    TagSpecifications: [{ ResourceType: "image", Tags: toTagList(tags) }],
    ...(description === null ? {} : { Description: description }),
    ...(kernel === null ? {} : { KernelId: kernel }),
    ...(ramdisk === null ? {} : { RamdiskId: ramdisk }),
    ...(request.enaSupport ? { EnaSupport: true } : {}),
    ...(request.sriovNetSupport ? { SriovNetSupport: "simple" } : {}),
    ...(request.imdsV2 ? { ImdsSupport: "v2.0" } : {}),
    ...("root" in request ? toVolume(request, virtual) : { ImageLocation: request.location }),
  });
}

/** Whether a registered image has the very root that was asked for. */
export function hasRoot(image: Ec2Image, request: RegisterRequest): boolean {
  if (!("root" in request)) return image.ImageLocation === request.location;
  const snapshots = (image.BlockDeviceMappings ?? []).map(({ Ebs }) => Ebs?.SnapshotId);
  return snapshots.includes(request.root.snapshot);
}

function toVolume(
  { root }: VolumeImageRequest,
  virtual: NonNullable<RegisterImageCommandInput["BlockDeviceMappings"]>,
): Partial<RegisterImageCommandInput> {
  const Ebs = {
    SnapshotId: root.snapshot,
    VolumeType: root.type as never,
    DeleteOnTermination: true,
    ...(root.sizeGiB === null ? {} : { VolumeSize: root.sizeGiB }),
  };
  return {
    RootDeviceName: root.device,
    BlockDeviceMappings: [{ DeviceName: root.device, Ebs }, ...virtual],
  };
}
