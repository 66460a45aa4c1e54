import {
  DescribeImageAttributeCommand,
  DescribeInstancesCommand,
  DescribeLaunchTemplateVersionsCommand,
  DescribeRegionsCommand,
} from "@aws-sdk/client-ec2";
import { regionOf } from "../util/region.ts";
import { call, type Link } from "./client.ts";
import type { InstanceOf, LaunchTemplateOf, Provider } from "./provider.ts";

type Inventory = Pick<Provider, "regions" | "launchPermissions" | "instancesOf" | "launchTemplatesOf">;

/** EC2 takes so many values of one filter (EC2 User Guide, "Filter resources"). */
const mostFilterValues = 200;
/** EC2's own limit of one page of versions. */
const versionsAtOnce = 200;

/** What an account has around its images, over EC2's API. */
export function toInventory(link: Link): Inventory {
  return {
    regions: async (signal) => {
      const { partition } = regionOf(link.account.region);
      const { Regions = [] } = await call(link, new DescribeRegionsCommand({}), { signal });
      return Regions.flatMap(({ RegionName = "", OptInStatus }) =>
        OptInStatus === "not-opted-in" || regionOf(RegionName).partition !== partition ? [] : [RegionName],
      ).sort();
    },

    launchPermissions: async (image, signal) => {
      const command = new DescribeImageAttributeCommand({ ImageId: image, Attribute: "launchPermission" });
      const { LaunchPermissions = [] } = await call(link, command, { signal, resource: image });
      return LaunchPermissions.flatMap(
        ({ UserId, Group, OrganizationArn, OrganizationalUnitArn }) =>
          UserId ?? Group ?? OrganizationArn ?? OrganizationalUnitArn ?? [],
      ).sort();
    },

    instancesOf: async (images, signal) => {
      const found: InstanceOf[] = [];
      for (let at = 0; at < images.length; at += mostFilterValues)
        found.push(...(await instances(link, images.slice(at, at + mostFilterValues), signal)));
      return found;
    },

    launchTemplatesOf: async (images, signal) => {
      const versions = images.length === 0 ? [] : await templateVersions(link, signal);
      // A version that is both is told twice by some.
      const distinct = new Map(versions.map((one) => [`${one.id} ${one.version}`, one]));
      return [...distinct.values()].filter(({ image }) => images.includes(image));
    },
  };
}

async function templateVersions(link: Link, signal: AbortSignal): Promise<readonly LaunchTemplateOf[]> {
  const found: LaunchTemplateOf[] = [];
  let next: string | undefined;
  do {
    const command = new DescribeLaunchTemplateVersionsCommand({
      // Without a template's id these two are those of every template.
      Versions: ["$Default", "$Latest"],
      MaxResults: versionsAtOnce,
      ...(next === undefined ? {} : { NextToken: next }),
    });
    const page = await call(link, command, { signal });
    for (const version of page.LaunchTemplateVersions ?? []) {
      const { LaunchTemplateId: id = "", LaunchTemplateName: name = "" } = version;
      const image = version.LaunchTemplateData?.ImageId ?? "";
      found.push({ image, id, name, version: version.VersionNumber ?? 0 });
    }
    next = page.NextToken;
  } while (next);
  return found;
}

async function instances(link: Link, images: readonly string[], signal: AbortSignal): Promise<InstanceOf[]> {
  const found: InstanceOf[] = [];
  let next: string | undefined;
  do {
    const command = new DescribeInstancesCommand({
      Filters: [
        { Name: "image-id", Values: [...images] },
        {
          Name: "instance-state-name",
          Values: ["pending", "running", "shutting-down", "stopping", "stopped"],
        },
      ],
      ...(next === undefined ? {} : { NextToken: next }),
    });
    const page = await call(link, command, { signal });
    for (const { InstanceId, ImageId = "", State } of (page.Reservations ?? []).flatMap(
      ({ Instances = [] }) => Instances,
    )) {
      if (InstanceId !== undefined)
        found.push({ image: ImageId, id: InstanceId, state: State?.Name ?? "pending" });
    }
    next = page.NextToken;
  } while (next);
  return found;
}
