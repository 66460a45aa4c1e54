import { regionOf } from "../../util/region.ts";
import { AwsFault } from "../fault.ts";
import { toItems } from "../xml.ts";
import type { Ec2Action } from "./ec2-call.ts";
import { filtered } from "./filters.ts";
import { defaultVpcOf } from "./network.ts";
import { toPage } from "./pages.ts";

const describeRegions: Ec2Action = ({ params, world, region }) => {
  const { partition } = regionOf(region.name);
  const names = params.list("RegionName");
  const known = world.regions.filter((name) => regionOf(name).partition === partition);
  const strange = names.find((name) => !known.includes(name));
  if (strange !== undefined)
    throw new AwsFault("InvalidParameterValue", `Invalid region provided: ${strange}`);
  const regions = known
    .filter((name) => names.length === 0 || names.includes(name))
    .map((name) => ({
      name,
      endpoint: `ec2.${name}.${regionOf(name).dnsSuffix}`,
      optIn: "opt-in-not-required",
    }));
  const chosen = filtered(params, regions, {
    "region-name": (one) => one.name,
    endpoint: (one) => one.endpoint,
    "opt-in-status": (one) => one.optIn,
  });
  return {
    regionInfo: toItems(
      chosen.map((one) => ({ regionName: one.name, regionEndpoint: one.endpoint, optInStatus: one.optIn })),
    ),
  };
};

const describeAvailabilityZones: Ec2Action = ({ params, region }) => {
  const { subnets } = defaultVpcOf(region.name);
  const names = params.list("ZoneName");
  const strange = names.find((name) => !subnets.some(({ zone }) => zone === name));
  if (strange !== undefined)
    throw new AwsFault("InvalidParameterValue", `Invalid availability zone: [${strange}]`);
  const zones = filtered(
    params,
    subnets.filter(({ zone }) => names.length === 0 || names.includes(zone)),
    {
      "zone-name": ({ zone }) => zone,
      "zone-id": ({ zoneId }) => zoneId,
      "zone-type": () => "availability-zone",
      "region-name": () => region.name,
      state: () => "available",
      "opt-in-status": () => "opt-in-not-required",
    },
  );
  return {
    availabilityZoneInfo: toItems(
      zones.map(({ zone, zoneId }) => ({
        zoneName: zone,
        zoneId,
        zoneState: "available",
        zoneType: "availability-zone",
        regionName: region.name,
        groupName: region.name,
        networkBorderGroup: region.name,
        optInStatus: "opt-in-not-required",
        messageSet: null,
      })),
    ),
  };
};

const describeVpcs: Ec2Action = ({ params, region, world }) => {
  const vpc = defaultVpcOf(region.name);
  const ids = params.list("VpcId");
  const strange = ids.find((id) => id !== vpc.id);
  if (strange !== undefined)
    throw new AwsFault("InvalidVpcID.NotFound", `The vpc ID '${strange}' does not exist`);
  const vpcs = filtered(params, [vpc], {
    "vpc-id": ({ id }) => id,
    cidr: ({ cidr }) => cidr,
    "cidr-block": ({ cidr }) => cidr,
    state: () => "available",
    isDefault: () => true,
    "is-default": () => true,
    "owner-id": () => world.identity.accountId,
  });
  const page = toPage(params, vpcs);
  return {
    vpcSet: toItems(
      page.things.map(({ id, cidr }) => ({
        vpcId: id,
        ownerId: world.identity.accountId,
        state: "available",
        cidrBlock: cidr,
        instanceTenancy: "default",
        isDefault: true,
      })),
    ),
    nextToken: page.nextToken,
  };
};

const describeSubnets: Ec2Action = ({ params, region, world }) => {
  const vpc = defaultVpcOf(region.name);
  const ids = params.list("SubnetId");
  const strange = ids.find((id) => !vpc.subnets.some((subnet) => subnet.id === id));
  if (strange !== undefined) {
    throw new AwsFault("InvalidSubnetID.NotFound", `The subnet ID '${strange}' does not exist`);
  }
  const subnets = filtered(
    params,
    vpc.subnets.filter(({ id }) => ids.length === 0 || ids.includes(id)),
    {
      "subnet-id": ({ id }) => id,
      "vpc-id": () => vpc.id,
      "availability-zone": ({ zone }) => zone,
      availabilityZone: ({ zone }) => zone,
      "availability-zone-id": ({ zoneId }) => zoneId,
      "cidr-block": ({ cidr }) => cidr,
      state: () => "available",
      "default-for-az": () => true,
      defaultForAz: () => true,
      "map-public-ip-on-launch": () => true,
      "owner-id": () => world.identity.accountId,
    },
  );
  const page = toPage(params, subnets);
  return {
    subnetSet: toItems(
      page.things.map((subnet) => ({
        subnetId: subnet.id,
        vpcId: vpc.id,
        ownerId: world.identity.accountId,
        state: "available",
        cidrBlock: subnet.cidr,
        availableIpAddressCount: 4091,
        availabilityZone: subnet.zone,
        availabilityZoneId: subnet.zoneId,
        defaultForAz: true,
        mapPublicIpOnLaunch: true,
      })),
    ),
    nextToken: page.nextToken,
  };
};

/** Regions, zones and the default network. */
export const placeActions: Readonly<Record<string, Ec2Action>> = {
  DescribeRegions: describeRegions,
  DescribeAvailabilityZones: describeAvailabilityZones,
  DescribeVpcs: describeVpcs,
  DescribeSubnets: describeSubnets,
};
