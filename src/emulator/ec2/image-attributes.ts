import { AwsFault } from "../fault.ts";
import { toItems, type XmlValue } from "../xml.ts";
import { done, type Ec2Action, type Ec2Call, proceed } from "./ec2-call.ts";
import { ownImageOf } from "./images.ts";
import type { Params } from "./params.ts";
import { toProtection } from "./protection.ts";
import type { LaunchPermission } from "./records.ts";

const modifyAttribute: Ec2Action = (call) => {
  const { params, region } = call;
  const image = ownImageOf(call);
  const description =
    params.text("Description.Value") ??
    (params.text("Attribute") === "description" ? params.text("Value") : undefined);
  const added = readPermissions(call, "Add");
  const removed = readPermissions(call, "Remove");
  if (description === undefined && added.length === 0 && removed.length === 0) {
    throw new AwsFault("InvalidParameterCombination", "No attributes specified.");
  }
  proceed(call);
  const isNamed = (one: LaunchPermission, list: readonly LaunchPermission[]): boolean =>
    list.some((other) => toKey(other) === toKey(one));
  const kept = image.launchPermissions.filter((one) => !isNamed(one, removed) && !isNamed(one, added));
  region.images.set(image.id, {
    ...image,
    description: description ?? image.description,
    launchPermissions: [...kept, ...added],
  });
  return { ...done };
};

function toKey(one: LaunchPermission): string {
  return [one.userId, one.group, one.organizationArn, one.organizationalUnitArn].join(" ");
}

function readPermissions({ params }: Ec2Call, change: "Add" | "Remove"): readonly LaunchPermission[] {
  const listed = params.groups(`LaunchPermission.${change}`).map(readPermission);
  const old = params.text("OperationType") === change.toLowerCase() ? change : undefined;
  const inOldForm: readonly LaunchPermission[] = old
    ? [
        ...params.list("UserId").map((userId) => ({ userId })),
        ...params.list("UserGroup").map((group) => ({ group })),
      ]
    : [];
  const all: readonly LaunchPermission[] = [...listed, ...inOldForm];
  for (const one of all) checkPermission(one);
  return all;
}

function readPermission(written: Params): LaunchPermission {
  const [userId, group] = [written.text("UserId"), written.text("Group")];
  const organizationArn = written.text("OrganizationArn");
  const organizationalUnitArn = written.text("OrganizationalUnitArn");
  return {
    ...(userId === undefined ? {} : { userId }),
    ...(group === undefined ? {} : { group }),
    ...(organizationArn === undefined ? {} : { organizationArn }),
    ...(organizationalUnitArn === undefined ? {} : { organizationalUnitArn }),
  };
}

function checkPermission({ userId, group, organizationArn, organizationalUnitArn }: LaunchPermission): void {
  if (group !== undefined && group !== "all")
    throw new AwsFault("InvalidParameterValue", `Invalid group: ${group}`);
  if (userId !== undefined && !/^\d{12}$/.test(userId))
    throw new AwsFault("InvalidUserID.Malformed", `Invalid user id: "${userId}"`);
  for (const [arn, kind] of [
    [organizationArn, "organization/o-"],
    [organizationalUnitArn, "ou/o-"],
  ] as const) {
    if (arn === undefined || new RegExp(`^arn:aws[a-z-]*:organizations::\\d{12}:${kind}`).test(arn)) continue;
    throw new AwsFault("InvalidParameterValue", `Value (${arn}) is not the ARN of one.`);
  }
}

const describeAttribute: Ec2Action = (call) => {
  const attribute = call.params.required("Attribute");
  const image = ownImageOf(call);
  const values: Readonly<Record<string, XmlValue>> = {
    launchPermission: toItems(image.launchPermissions.map((one) => ({ ...one }))),
    description: { value: image.description ?? undefined },
    kernel: { value: image.kernelId ?? undefined },
    ramdisk: { value: image.ramdiskId ?? undefined },
    sriovNetSupport: { value: image.sriovNetSupport ?? undefined },
    imdsSupport: { value: image.imdsSupport ?? undefined },
    deregistrationProtection: { value: toProtection(image) },
    blockDeviceMapping: toItems(
      image.mappings.map(({ device, virtual }) => ({ deviceName: device, virtualName: virtual })),
    ),
  };
  if (!Object.hasOwn(values, attribute)) {
    throw new AwsFault("InvalidParameterValue", `Value (${attribute}) for parameter attribute is invalid.`);
  }
  return { imageId: image.id, [attribute]: values[attribute] };
};

/** Asks and changes one thing of an image at a time. */
export const attributeActions: Readonly<Record<string, Ec2Action>> = {
  ModifyImageAttribute: modifyAttribute,
  DescribeImageAttribute: describeAttribute,
};
