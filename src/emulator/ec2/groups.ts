import { regionOf } from "../../util/region.ts";
import { AwsFault } from "../fault.ts";
import { toItems, type XmlValue } from "../xml.ts";
import { done, type Ec2Action, type Ec2Call, proceed } from "./ec2-call.ts";
import { filtered } from "./filters.ts";
import { isV6, readRules, toPermissions } from "./ingress.ts";
import { defaultVpcOf } from "./network.ts";
import { toPage } from "./pages.ts";
import type { SecurityGroup } from "./records.ts";
import { newId } from "./state.ts";
import { readTagSpecifications, toTagSet } from "./tags.ts";

const createGroup: Ec2Action = (call) => {
  const { params, region } = call;
  const name = params.required("GroupName");
  const description = params.required("GroupDescription");
  const vpc = defaultVpcOf(region.name);
  const vpcId = params.text("VpcId") ?? vpc.id;
  if (vpcId !== vpc.id) throw new AwsFault("InvalidVpcID.NotFound", `The vpc ID '${vpcId}' does not exist`);
  checkText("groupName", name);
  checkText("groupDescription", description);
  if (name.startsWith("sg-")) {
    throw new AwsFault(
      "InvalidParameterValue",
      `Invalid group name '${name}'. Group names may not be in the format sg-*.`,
    );
  }
  if ([...region.groups.values()].some((group) => group.name === name)) {
    throw new AwsFault(
      "InvalidGroup.Duplicate",
      `The security group '${name}' already exists for VPC '${vpcId}'`,
    );
  }
  const tags = readTagSpecifications(params, "security-group");
  proceed(call);
  const group: SecurityGroup = { id: newId("sg"), name, description, vpcId, ingress: [], tags };
  region.groups.set(group.id, group);
  return { ...done, groupId: group.id, securityGroupArn: arnOf(call, group), tagSet: toTagSet(tags) };
};

function checkText(parameter: string, value: string): void {
  if (/^[a-zA-Z0-9. _\-:/()#,@[\]+=&;{}!$*]{1,255}$/.test(value)) return;
  throw new AwsFault(
    "InvalidParameterValue",
    `Value (${value}) for parameter ${parameter} is invalid. Character sets beyond ASCII are not supported.`,
  );
}

const authorizeIngress: Ec2Action = (call) => {
  const group = groupOf(call);
  const rules = readRules(call.params);
  const twin = rules.find((rule) => group.ingress.some((old) => isSameRule(rule, old)));
  if (twin) {
    throw new AwsFault(
      "InvalidPermission.Duplicate",
      `the specified rule "peer: ${twin.cidr}, ${twin.protocol.toUpperCase()}, from port: ${twin.fromPort}, to port: ${twin.toPort}, ALLOW" already exists`,
    );
  }
  proceed(call);
  call.region.groups.set(group.id, { ...group, ingress: [...group.ingress, ...rules] });
  return {
    ...done,
    securityGroupRuleSet: toItems(
      rules.map((rule) => ({
        securityGroupRuleId: rule.id,
        groupId: group.id,
        groupOwnerId: call.world.identity.accountId,
        isEgress: false,
        ipProtocol: rule.protocol,
        fromPort: rule.fromPort,
        toPort: rule.toPort,
        ...(isV6(rule) ? { cidrIpv6: rule.cidr } : { cidrIpv4: rule.cidr }),
        description: rule.description ?? undefined,
      })),
    ),
  };
};

const revokeIngress: Ec2Action = (call) => {
  const group = groupOf(call);
  const rules = readRules(call.params);
  const stays = group.ingress.filter((old) => !rules.some((rule) => isSameRule(rule, old)));
  if (stays.length === group.ingress.length) {
    throw new AwsFault(
      "InvalidPermission.NotFound",
      "The specified rule does not exist in this security group.",
    );
  }
  proceed(call);
  call.region.groups.set(group.id, { ...group, ingress: stays });
  return { ...done };
};

function isSameRule(a: SecurityGroup["ingress"][number], b: SecurityGroup["ingress"][number]): boolean {
  return a.protocol === b.protocol && a.fromPort === b.fromPort && a.toPort === b.toPort && a.cidr === b.cidr;
}

/** The group that the call names by id, or in the default VPC by name. */
function groupOf({ params, region }: Ec2Call): SecurityGroup {
  const [id, name] = [params.text("GroupId"), params.text("GroupName")];
  if (!id && !name) {
    throw new AwsFault("MissingParameter", "The request must contain the parameter GroupName or GroupId");
  }
  return id ? groupById(region.groups, id) : groupByName(region.groups, name ?? "");
}

/** The group of this id, or EC2's error. */
export function groupById(groups: ReadonlyMap<string, SecurityGroup>, id: string): SecurityGroup {
  const group = groups.get(id);
  if (group) return group;
  if (!/^sg-[0-9a-f]{8,17}$/.test(id)) throw new AwsFault("InvalidGroupId.Malformed", `Invalid id: "${id}"`);
  throw new AwsFault("InvalidGroup.NotFound", `The security group '${id}' does not exist`);
}

/** The group of this name, or EC2's error. */
export function groupByName(groups: ReadonlyMap<string, SecurityGroup>, name: string): SecurityGroup {
  const group = [...groups.values()].find((one) => one.name === name);
  if (group) return group;
  throw new AwsFault("InvalidGroup.NotFound", `The security group '${name}' does not exist in default VPC`);
}

const describeGroups: Ec2Action = (call) => {
  const { params, region } = call;
  const ids = params.list("GroupId");
  const names = params.list("GroupName");
  for (const id of ids) groupById(region.groups, id);
  for (const name of names) groupByName(region.groups, name);
  const named = [...region.groups.values()].filter(
    ({ id, name }) => (ids.length === 0 && names.length === 0) || ids.includes(id) || names.includes(name),
  );
  const chosen = filtered(
    params,
    named,
    {
      "group-id": ({ id }) => id,
      "group-name": ({ name }) => name,
      description: ({ description }) => description,
      "vpc-id": ({ vpcId }) => vpcId,
      "owner-id": () => call.world.identity.accountId,
      "ip-permission.cidr": ({ ingress }) => ingress.filter((rule) => !isV6(rule)).map(({ cidr }) => cidr),
      "ip-permission.ipv6-cidr": ({ ingress }) => ingress.filter(isV6).map(({ cidr }) => cidr),
      "ip-permission.from-port": ({ ingress }) => ingress.map(({ fromPort }) => String(fromPort)),
      "ip-permission.to-port": ({ ingress }) => ingress.map(({ toPort }) => String(toPort)),
      "ip-permission.protocol": ({ ingress }) => ingress.map(({ protocol }) => protocol),
    },
    ({ tags }) => tags,
  );
  const page = toPage(params, chosen);
  return {
    securityGroupInfo: toItems(page.things.map((group) => toGroup(call, group))),
    nextToken: page.nextToken,
  };
};

function toGroup(call: Ec2Call, group: SecurityGroup): XmlValue {
  return {
    ownerId: call.world.identity.accountId,
    groupId: group.id,
    groupName: group.name,
    groupDescription: group.description,
    vpcId: group.vpcId,
    securityGroupArn: arnOf(call, group),
    ipPermissions: toItems(toPermissions(group.ingress)),
    ipPermissionsEgress: toItems([
      { ipProtocol: "-1", groups: null, ipRanges: toItems([{ cidrIp: "0.0.0.0/0" }]), prefixListIds: null },
    ]),
    tagSet: toTagSet(group.tags),
  };
}

function arnOf({ world, region }: Ec2Call, { id }: SecurityGroup): string {
  return `arn:${regionOf(region.name).partition}:ec2:${region.name}:${world.identity.accountId}:security-group/${id}`;
}

const deleteGroup: Ec2Action = (call) => {
  const group = groupOf(call);
  if (group.name === "default") {
    throw new AwsFault(
      "CannotDelete",
      `the specified group: "${group.id}" name: "default" cannot be deleted by a user`,
    );
  }
  const users = [...call.region.instances.values()].filter(
    ({ groupIds, state }) => groupIds.includes(group.id) && state !== "terminated",
  );
  if (users.length > 0) {
    throw new AwsFault("DependencyViolation", `resource ${group.id} has a dependent object`);
  }
  proceed(call);
  call.region.groups.delete(group.id);
  return { ...done, groupId: group.id };
};

export const groupActions: Readonly<Record<string, Ec2Action>> = {
  CreateSecurityGroup: createGroup,
  AuthorizeSecurityGroupIngress: authorizeIngress,
  RevokeSecurityGroupIngress: revokeIngress,
  DescribeSecurityGroups: describeGroups,
  DeleteSecurityGroup: deleteGroup,
};
