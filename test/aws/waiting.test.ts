import { expect, test } from "vitest";
import type { GroupRequest, LaunchRequest } from "../../src/aws/provider.ts";
import { Problem } from "../../src/problem.ts";
import { type Answer, actions, ec2Answer, ec2Fault, startScriptedAws, turns } from "../help/scripted-aws.ts";

const signal = new AbortController().signal;
const throttled = ec2Fault("RequestLimitExceeded", "Request limit exceeded.", 503);
const id = "i-0123456789abcdef0";
const group = "sg-0123456789abcdef0";

test("an instance that EC2 has not heard of yet is asked for again, as it was launched just now", async () => {
  const notYet = ec2Fault("InvalidInstanceID.NotFound", `The instance ID '${id}' does not exist`);
  await using aws = await startScriptedAws(
    turns({ RunInstances: [launched], DescribeInstances: [notYet, notYet, described("pending")] }),
  );
  const ec2 = aws.account();
  await ec2.launchInstance(launch, signal);
  expect(await ec2.describeInstance(id, signal)).toMatchObject({ id, state: "pending" });
});

test("an instance that nobody launched just now is not there, at once", async () => {
  const never = ec2Fault("InvalidInstanceID.NotFound", `The instance ID '${id}' does not exist`);
  await using aws = await startScriptedAws(() => never);
  await expect(aws.account().describeInstance(id, signal)).rejects.toMatchObject({ code: "aws-fault" });
  expect(actions(aws.asked)).toEqual(["DescribeInstances"]);
});

test("a launch waits for its fresh security group, and not for an image that is not there", async () => {
  const noGroup = ec2Fault("InvalidGroup.NotFound", `The security group '${group}' does not exist`);
  const noImage = ec2Fault("InvalidAMIID.NotFound", "The image id '[ami-1]' does not exist");
  await using aws = await startScriptedAws(
    turns({
      CreateSecurityGroup: [created],
      AuthorizeSecurityGroupIngress: [opened],
      RunInstances: [noGroup, noImage],
    }),
  );
  const ec2 = aws.account();
  await ec2.createSecurityGroup(door, signal);
  await expect(ec2.launchInstance(launch, signal)).rejects.toThrow("InvalidAMIID.NotFound");
  expect(actions(aws.asked).filter((action) => action === "RunInstances")).toHaveLength(2);
});

test("every try of a launch carries the same client token, so that EC2 starts one instance", async () => {
  await using aws = await startScriptedAws(turns({ RunInstances: ["cut", launched] }));
  expect(await aws.account().launchInstance(launch, signal)).toEqual({ id });
  expect(aws.asked.map(({ parameters }) => parameters.get("ClientToken"))).toEqual(["token", "token"]);
});

test("a launch tags the instance as it is made, and sets the metadata service's tokens only when it is told to", async () => {
  await using aws = await startScriptedAws(() => launched);
  await aws.account().launchInstance(launch, signal);
  await aws.account().launchInstance({ ...launch, metadataTokens: "required" }, signal);
  expect(
    aws.asked.map(({ parameters }) => [
      parameters.get("MetadataOptions.HttpTokens"),
      parameters.get("TagSpecification.1.ResourceType"),
      parameters.get("TagSpecification.1.Tag.1.Key"),
    ]),
  ).toEqual([
    [null, "instance", "imgspec:run"],
    ["required", "instance", "imgspec:run"],
  ]);
});

test("an instance is terminated only when EC2 says so, however often the question is refused", async () => {
  await using aws = await startScriptedAws(
    turns({
      TerminateInstances: [ec2Answer("TerminateInstances", "<instancesSet/>")],
      DescribeInstances: [described("shutting-down"), throttled, "cut", described("terminated")],
    }),
  );
  await aws.account({ region: "us-east-1" }, { attempts: 1 }).terminateInstance(id, signal);
  expect(actions(aws.asked)).toEqual([
    "TerminateInstances",
    "DescribeInstances",
    "DescribeInstances",
    "DescribeInstances",
    "DescribeInstances",
  ]);
});

test("a stop ends the wait of a request that EC2 leaves unanswered, with the reason of the stop", async () => {
  const stop = new AbortController();
  const reason = new Problem("interrupted", "SIGINT");
  await using aws = await startScriptedAws(() => {
    stop.abort(reason);
    return "silence";
  });
  await expect(aws.account().describeInstance(id, stop.signal)).rejects.toBe(reason);
});

test("a stop does not lose an instance that EC2 is about to launch", async () => {
  const stop = new AbortController();
  await using aws = await startScriptedAws(() => {
    stop.abort(new Problem("interrupted", "SIGINT"));
    return launched;
  });
  const ec2 = aws.account();
  expect(await ec2.launchInstance(launch, stop.signal)).toEqual({ id });
  await expect(ec2.launchInstance(launch, stop.signal)).rejects.toMatchObject({ code: "interrupted" });
  expect(aws.asked).toHaveLength(1);
});

test("a request that outlives its deadline is a timeout", async () => {
  await using aws = await startScriptedAws(() => "silence");
  await expect(aws.account().describeInstance(id, AbortSignal.timeout(20))).rejects.toMatchObject({
    code: "timeout",
    message: "EC2 DescribeInstances took longer than it may",
  });
});

test("a connection on which nothing moves is given up, tried again, and told of", async () => {
  await using aws = await startScriptedAws(() => "silence");
  const ec2 = aws.account({ region: "us-east-1" }, { silenceMs: 50 });
  await expect(ec2.describeInstance(id, signal)).rejects.toMatchObject({
    code: "timeout",
    message: expect.stringContaining("EC2 in us-east-1 did not answer DescribeInstances in time"),
  });
  expect(aws.asked).toHaveLength(2);
});

test("a stop ends a pause between two questions, as a Problem whatever the reason", async () => {
  const stop = new AbortController();
  await using aws = await startScriptedAws(({ action }) => {
    if (action === "DescribeInstances") setImmediate(() => stop.abort());
    return action === "DescribeInstances" ? described("shutting-down") : ec2Answer(action);
  });
  const ec2 = aws.account({ region: "us-east-1" }, { firstPauseMs: 60_000, longestPauseMs: 60_000 });
  await expect(ec2.terminateInstance(id, stop.signal)).rejects.toMatchObject({ code: "interrupted" });
});

function described(state: string): Answer {
  const instance = `<item><instanceId>${id}</instanceId><instanceState><name>${state}</name></instanceState></item>`;
  return ec2Answer(
    "DescribeInstances",
    `<reservationSet><item><instancesSet>${instance}</instancesSet></item></reservationSet>`,
  );
}

const launched = ec2Answer(
  "RunInstances",
  `<instancesSet><item><instanceId>${id}</instanceId></item></instancesSet>`,
);
const opened = ec2Answer("AuthorizeSecurityGroupIngress");
const created = ec2Answer("CreateSecurityGroup", `<groupId>${group}</groupId>`);
const tags = { "imgspec:run": "ours" };

const launch: LaunchRequest = {
  image: "ami-1",
  instanceType: "m3.medium",
  keyName: "key",
  securityGroups: [group],
  subnet: null,
  iamInstanceProfile: null,
  userData: null,
  clientToken: "token",
  tags,
};

const door: GroupRequest = {
  name: "door",
  description: "SSH",
  subnet: null,
  port: 22,
  cidrs: ["192.0.2.1/32"],
  tags,
};
