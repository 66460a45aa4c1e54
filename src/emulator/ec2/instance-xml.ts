import { regionOf } from "../../util/region.ts";
import { toItems, type XmlValue } from "../xml.ts";
import type { Ec2Answer, Ec2Call } from "./ec2-call.ts";
import type { Instance, InstanceState } from "./records.ts";
import type { RegionState } from "./state.ts";
import { toTagSet } from "./tags.ts";

/** The numbers that EC2 gives along with the names of states. */
const stateCodes: Readonly<Record<InstanceState, number>> = {
  pending: 0,
  running: 16,
  "shutting-down": 32,
  terminated: 48,
};

export function toState(state: InstanceState): { readonly code: number; readonly name: string } {
  return { code: stateCodes[state], name: state };
}

/** Instances that were launched together. */
export function toReservation(
  call: Ec2Call,
  reservationId: string,
  instances: readonly Instance[],
): Ec2Answer {
  return {
    reservationId,
    ownerId: call.world.identity.accountId,
    groupSet: null,
    instancesSet: toItems(instances.map((instance) => toInstanceXml(call, instance))),
  };
}

function toInstanceXml({ world, region }: Ec2Call, instance: Instance): XmlValue {
  const isGone = instance.state === "terminated";
  return {
    instanceId: instance.id,
    imageId: instance.imageId,
    instanceState: toState(instance.state),
    reason: instance.stateReason && isGone ? instance.stateReason.message : "",
    keyName: instance.keyName ?? undefined,
    amiLaunchIndex: instance.launchIndex,
    productCodes: null,
    instanceType: instance.type,
    launchTime: instance.launchedAt,
    placement: { availabilityZone: instance.zone, groupName: "", tenancy: "default" },
    kernelId: instance.kernelId ?? undefined,
    ramdiskId: instance.ramdiskId ?? undefined,
    monitoring: { state: "disabled" },
    ...(isGone ? { privateDnsName: "", dnsName: "", groupSet: null } : toNetwork(region, instance)),
    stateReason: instance.stateReason ?? undefined,
    architecture: instance.architecture,
    rootDeviceType: instance.rootDeviceType ?? "instance-store",
    rootDeviceName: instance.rootDeviceName,
    blockDeviceMapping: null,
    virtualizationType: instance.virtualization,
    clientToken: instance.clientToken,
    hypervisor: "xen",
    metadataOptions: {
      state: "applied",
      httpTokens: instance.metadataTokens,
      httpPutResponseHopLimit: 1,
      httpEndpoint: "enabled",
    },
    iamInstanceProfile: instance.iamInstanceProfile
      ? { arn: toProfileArn(world.identity.accountId, instance.iamInstanceProfile), id: "AIPAEMULATED" }
      : undefined,
    tagSet: toTagSet(instance.tags),
  };
}

/** What a terminated instance has no more. */
function toNetwork(region: RegionState, instance: Instance): Ec2Answer {
  const { dnsSuffix } = regionOf(region.name);
  const privateName = `ip-${instance.privateAddress.replaceAll(".", "-")}`;
  const publicName = `ec2-${(instance.publicAddress ?? "").replaceAll(".", "-")}`;
  return {
    privateDnsName: `${privateName}.${region.name}.compute.internal`,
    dnsName: instance.publicAddress ? `${publicName}.${region.name}.compute.${dnsSuffix}` : "",
    subnetId: instance.subnetId,
    vpcId: instance.vpcId,
    privateIpAddress: instance.privateAddress,
    ipAddress: instance.publicAddress ?? undefined,
    sourceDestCheck: true,
    groupSet: toItems(
      instance.groupIds.map((groupId) => ({ groupId, groupName: region.groups.get(groupId)?.name })),
    ),
  };
}

function toProfileArn(accountId: string, profile: string): string {
  return profile.startsWith("arn:") ? profile : `arn:aws:iam::${accountId}:instance-profile/${profile}`;
}
