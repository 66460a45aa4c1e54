import type { Image, Instance } from "./ec2/records.ts";
import type { RegionState } from "./ec2/state.ts";
import type { InstanceFacts } from "./instance-host.ts";

/** The volume that source AMIs bring, as Amazon's own do. */
const sourceMappings = [{ device: "/dev/sdb", virtual: "ephemeral0" }] as const;

/** What an instance may know of itself. */
export function toFacts(
  region: RegionState,
  image: Image,
  instance: Instance,
  accountId: string,
): InstanceFacts {
  return {
    accountId,
    region: region.name,
    zone: instance.zone,
    imageId: image.id,
    manifestPath: image.location,
    instanceType: instance.type,
    reservationId: instance.reservationId,
    launchIndex: instance.launchIndex,
    privateAddress: instance.privateAddress,
    publicAddress: instance.publicAddress,
    keyName: instance.keyName,
    groupNames: instance.groupIds.flatMap((id) => region.groups.get(id)?.name ?? []),
    architecture: instance.architecture,
    virtualization: instance.virtualization,
    kernelId: instance.kernelId,
    ramdiskId: instance.ramdiskId,
    rootDeviceName: instance.rootDeviceName,
    mappings: image.isBundled ? image.mappings : sourceMappings,
    metadataTokens: instance.metadataTokens,
    launchedAt: instance.launchedAt,
  };
}
