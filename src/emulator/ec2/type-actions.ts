import { AwsFault } from "../fault.ts";
import { toItems, type XmlValue } from "../xml.ts";
import type { Ec2Action } from "./ec2-call.ts";
import { filtered } from "./filters.ts";
import { type InstanceType, instanceTypes } from "./instance-types.ts";
import { defaultVpcOf } from "./network.ts";
import { toPage } from "./pages.ts";

const describeInstanceTypes: Ec2Action = ({ params }) => {
  const names = params.list("InstanceType");
  const strange = names.filter((name) => !instanceTypes.some((type) => type.name === name));
  if (strange.length > 0) {
    throw new AwsFault(
      "InvalidInstanceType",
      `The following supplied instance types do not exist: [${strange.join(", ")}]`,
    );
  }
  const chosen = filtered(
    params,
    instanceTypes.filter(({ name }) => names.length === 0 || names.includes(name)),
    {
      "instance-type": ({ name }) => name,
      "current-generation": ({ isCurrent }) => isCurrent,
      hypervisor: ({ hypervisor }) => hypervisor,
      "bare-metal": () => false,
      "instance-storage-supported": ({ disks }) => disks !== null,
      "processor-info.supported-architecture": ({ architectures }) => architectures,
      "supported-root-device-type": ({ rootDeviceTypes }) => rootDeviceTypes,
      "supported-virtualization-type": ({ virtualizations }) => virtualizations,
      "supported-usage-class": () => ["on-demand", "spot"],
      "vcpu-info.default-vcpus": ({ cpus }) => cpus,
      "memory-info.size-in-mib": ({ memoryMib }) => memoryMib,
    },
  );
  const page = toPage(params, chosen, 100);
  return { instanceTypeSet: toItems(page.things.map(toType)), nextToken: page.nextToken };
};

function toType(type: InstanceType): XmlValue {
  const { disks } = type;
  return {
    instanceType: type.name,
    currentGeneration: type.isCurrent,
    freeTierEligible: ["t2.micro", "t3.micro"].includes(type.name),
    supportedUsageClasses: toItems(["on-demand", "spot"]),
    supportedRootDeviceTypes: toItems(type.rootDeviceTypes),
    supportedVirtualizationTypes: toItems(type.virtualizations),
    bareMetal: false,
    hypervisor: type.hypervisor,
    processorInfo: { supportedArchitectures: toItems(type.architectures) },
    vCpuInfo: { defaultVCpus: type.cpus },
    memoryInfo: { sizeInMiB: type.memoryMib },
    instanceStorageSupported: disks !== null,
    instanceStorageInfo: disks
      ? {
          totalSizeInGB: disks.count * disks.sizeGb,
          disks: toItems([{ sizeInGB: disks.sizeGb, count: disks.count, type: disks.kind }]),
          nvmeSupport: "unsupported",
        }
      : undefined,
  };
}

const describeOfferings: Ec2Action = ({ params, region }) => {
  const locationType = params.text("LocationType") ?? "region";
  const locations = locationsOf(region.name)[locationType];
  if (!locations) {
    throw new AwsFault("InvalidParameterValue", `Invalid value '${locationType}' for LocationType.`);
  }
  const offerings = instanceTypes.flatMap(({ name }) => locations.map((location) => ({ name, location })));
  const chosen = filtered(params, offerings, {
    "instance-type": ({ name }) => name,
    location: ({ location }) => location,
  });
  const page = toPage(params, chosen);
  return {
    instanceTypeOfferingSet: toItems(
      page.things.map(({ name, location }) => ({ instanceType: name, locationType, location })),
    ),
    nextToken: page.nextToken,
  };
};

function locationsOf(region: string): Readonly<Record<string, readonly string[]>> {
  const { subnets } = defaultVpcOf(region);
  return {
    region: [region],
    "availability-zone": subnets.map(({ zone }) => zone),
    "availability-zone-id": subnets.map(({ zoneId }) => zoneId),
  };
}

/** What instances can be made of. */
export const typeActions: Readonly<Record<string, Ec2Action>> = {
  DescribeInstanceTypes: describeInstanceTypes,
  DescribeInstanceTypeOfferings: describeOfferings,
};
