import { expect, test } from "vitest";
import type { GroupRequest } from "../../src/aws/provider.ts";
import { actions, ec2Answer, ec2Fault, startScriptedAws, turns } from "../help/scripted-aws.ts";

const signal = new AbortController().signal;
const group = "sg-0123456789abcdef0";
const created = ec2Answer("CreateSecurityGroup", `<groupId>${group}</groupId>`);

test("a security group is deleted once the last network interface has let go of it", async () => {
  const held = ec2Fault("DependencyViolation", "resource has a dependent object");
  await using aws = await startScriptedAws(
    turns({ DeleteSecurityGroup: [held, held, ec2Answer("DeleteSecurityGroup")] }),
  );
  await aws.account().deleteSecurityGroup(group, signal);
  expect(aws.asked).toHaveLength(3);
});

test("a security group that stays in use is told of when the time is over", async () => {
  await using aws = await startScriptedAws(() => ec2Fault("DependencyViolation", "has a dependent object"));
  const ec2 = aws.account({ region: "us-east-1" }, { dependencyMs: 20 });
  await expect(ec2.deleteSecurityGroup(group, signal)).rejects.toThrow("DependencyViolation");
});

test("a security group that cannot be opened is taken back", async () => {
  const denied = ec2Fault("UnauthorizedOperation", "You are not authorized.", 403);
  await using aws = await startScriptedAws(
    turns({
      CreateSecurityGroup: [created],
      AuthorizeSecurityGroupIngress: [denied],
      DeleteSecurityGroup: [ec2Answer("DeleteSecurityGroup")],
    }),
  );
  await expect(aws.account().createSecurityGroup(door, signal)).rejects.toMatchObject({
    code: "permission-denied",
    message: `the caller may not ec2:AuthorizeSecurityGroupIngress on ${group}`,
  });
  expect(actions(aws.asked).at(-1)).toBe("DeleteSecurityGroup");
});

test("a security group that can be neither opened nor taken back is named with the command that deletes it", async () => {
  const denied = ec2Fault("UnauthorizedOperation", "You are not authorized.", 403);
  await using aws = await startScriptedAws(({ action }) =>
    action === "CreateSecurityGroup" ? created : denied,
  );
  await expect(aws.account().createSecurityGroup(door, signal)).rejects.toMatchObject({
    message: `security group ${group} could not be opened, nor deleted again`,
    hint: `delete it: \`aws ec2 delete-security-group --group-id ${group} --region us-east-1\``,
  });
});

test("a group for an IPv6 address is opened for that", async () => {
  await using aws = await startScriptedAws(
    turns({
      CreateSecurityGroup: [created],
      AuthorizeSecurityGroupIngress: [ec2Answer("AuthorizeSecurityGroupIngress")],
    }),
  );
  await aws.account().createSecurityGroup({ ...door, cidrs: ["2001:db8::1/128"] }, signal);
  expect(aws.asked.at(-1)?.parameters.get("IpPermissions.1.Ipv6Ranges.1.CidrIpv6")).toBe("2001:db8::1/128");
});

const door: GroupRequest = {
  name: "door",
  description: "SSH",
  subnet: null,
  port: 22,
  cidrs: ["192.0.2.1/32"],
  tags: { "imgspec:run": "ours" },
};
