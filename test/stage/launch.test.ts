import { stat } from "node:fs/promises";
import {
  DescribeInstancesCommand,
  DescribeKeyPairsCommand,
  DescribeSecurityGroupsCommand,
} from "@aws-sdk/client-ec2";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Cloud } from "../../src/aws/cloud.ts";
import type { Emulator } from "../../src/emulator/emulator.ts";
import { type LaunchInput, launch } from "../../src/stage/launch.ts";
import { type Rig as Ec2Rig, newRig } from "../emulator/rig.ts";
import { whyNot } from "../emulator/sandbox/rig.ts";
import { clientOf, furniture, newSandboxCloud, toLaunch } from "../help/stage-builder.ts";
import { toChecked, toCopy, toImage } from "../help/stage-inputs.ts";
import { newStageRig, type StageRig } from "../help/stage-rig.ts";

const why = await whyNot();
const nothing = { instances: [], keyPairs: [], securityGroups: [] };

describe.skipIf(why !== undefined)(`an instance (skipped where there is no sandbox: ${why})`, () => {
  let emulator: Emulator;
  let rig: StageRig;

  beforeAll(async () => {
    emulator = await newSandboxCloud();
  });
  afterAll(() => emulator[Symbol.asyncDispose]());
  beforeEach(async () => {
    rig = await newStageRig(emulator.cloud);
    return async () => {
      await rig[Symbol.asyncDispose]();
      expect(emulator.left()).toMatchObject(nothing);
    };
  });

  test("and what is made for it carry the run's tag from the first moment, and only the caller gets in", async () => {
    const on = await rig.stage(launch, await toLaunch(rig));
    const ec2 = clientOf(emulator);
    const tags = expect.arrayContaining([
      { Key: "imgspec:run", Value: rig.run.id },
      { Key: "Name", Value: "imgspec web" },
      { Key: "team", Value: "web" },
    ]);
    const { Reservations } = await ec2.send(new DescribeInstancesCommand({ InstanceIds: [on.instanceId] }));
    expect(Reservations?.[0]?.Instances).toMatchObject([{ Tags: tags, InstanceType: "m3.medium" }]);
    const { KeyPairs } = await ec2.send(new DescribeKeyPairsCommand({}));
    expect(KeyPairs).toMatchObject([{ Tags: tags }]);
    const { SecurityGroups = [] } = await ec2.send(new DescribeSecurityGroupsCommand({}));
    const [group] = SecurityGroups.filter(({ GroupName }) => GroupName !== "default");
    expect(group).toMatchObject({
      Tags: tags,
      IpPermissions: [{ FromPort: 22, ToPort: 22, IpProtocol: "tcp" }],
    });
    const ranges = group?.IpPermissions?.flatMap(({ IpRanges = [] }) => IpRanges.map(({ CidrIp }) => CidrIp));
    expect(ranges).toEqual([expect.stringMatching(/^\d+\.\d+\.\d+\.\d+\/32$/)]);
    expect(emulator.calls("CreateTags")).toBe(0);
    expect((await stat(on.privateKeyPath)).mode & 0o777).toBe(0o600);
    ec2.destroy();
  });

  test("or whoever the spec names gets in", async () => {
    const allowFrom = ["203.0.113.0/24", "2001:db8::/48", "198.51.100.7/32"];
    await rig.stage(launch, { ...(await toLaunch(rig)), allowFrom });
    const ec2 = clientOf(emulator);
    const { SecurityGroups = [] } = await ec2.send(new DescribeSecurityGroupsCommand({}));
    const [group] = SecurityGroups.filter(({ GroupName }) => GroupName !== "default");
    const ranges = group?.IpPermissions?.flatMap(({ IpRanges = [], Ipv6Ranges = [] }) => [
      ...IpRanges.map(({ CidrIp }) => CidrIp),
      ...Ipv6Ranges.map(({ CidrIpv6 }) => CidrIpv6),
    ]);
    expect(ranges?.toSorted()).toEqual(allowFrom.toSorted());
    ec2.destroy();
  });

  test("is one, though the answer to RunInstances was lost", async () => {
    emulator.fail("RunInstances", "cut-after");
    const { instanceId } = await rig.stage(launch, await toLaunch(rig));
    expect(emulator.left().instances).toEqual([instanceId]);
  });

  test("whose root cannot become the image that is asked for is given up before anything is done on it", async () => {
    const copy = toCopy({ partition: "gpt" });
    const input = await toLaunch(rig, { needs: { copy, when: "refuse" } });
    await expect(rig.stage(launch, input)).rejects.toMatchObject({
      code: "bundle-invalid",
      message:
        "the image of the root could not be made: bundle.partition is gpt, and the disk of the root has no partition table",
    });
    await using other = await newStageRig(emulator.cloud);
    const warned = await other.stage(launch, { ...input, needs: { copy, when: "warn" } });
    expect(warned.user).toBe("ec2-user");
    expect(other.lines.filter((line) => line.startsWith("warning: the image of the root"))).toHaveLength(1);

    await using third = await newStageRig(emulator.cloud);
    const checked = { ...input.checked, virtualization: "hvm" };
    await third.stage(launch, { ...input, checked, needs: { copy: toCopy(), when: "refuse" } });
    expect(third.lines.at(-1)).toMatch(/^warning: an hvm image needs a partitioned disk to boot on AWS/);
  }, 60_000);

  test("is of the next type when EC2 has no room for the first", async () => {
    emulator.fail("RunInstances", "InsufficientInstanceCapacity");
    const on = await rig.stage(launch, await withTypes("m3.medium", "m3.large"));
    expect(on.instanceType).toBe("m3.large");
    expect(rig.lines.join("\n")).toMatch(/no room for m3\.medium/);
  });

  test.each([
    [null, "optional"],
    ["required", "required"],
  ] as const)("of which the spec says metadataTokens: %s has %s", async (metadataTokens, httpTokens) => {
    const { instanceId } = await rig.stage(launch, await toLaunch(rig, { metadataTokens }));
    const ec2 = clientOf(emulator);
    const { Reservations } = await ec2.send(new DescribeInstancesCommand({ InstanceIds: [instanceId] }));
    expect(Reservations?.[0]?.Instances).toMatchObject([{ MetadataOptions: { HttpTokens: httpTokens } }]);
    ec2.destroy();
  });

  test("for which no type has room is not there, and all types are named", async () => {
    emulator.fail("RunInstances", "InsufficientInstanceCapacity", { times: 2 });
    await expect(rig.stage(launch, await withTypes("m3.medium", "m3.large"))).rejects.toMatchObject({
      code: "capacity-missing",
      message: "EC2 has no room for m3.medium, m3.large in us-east-1",
    });
  });

  test("is trusted by the host key in its console output", async () => {
    const { hostKey } = await rig.stage(launch, await withHostKey("console"));
    expect(hostKey).toMatch(/^ssh-ed25519 /);
    expect(rig.lines.at(-1)).toMatch(/^host key SHA256:\S+ is the one in the console output$/);
  });

  test("whose console output nobody may read is pinned on first use, unless the spec wants the console", async () => {
    emulator.deny("ec2:GetConsoleOutput");
    try {
      await rig.stage(launch, await withHostKey("auto"));
      expect(rig.lines.at(-1)).toMatch(/pinned on first use/);
      await expect(
        launch.run(await withHostKey("console"), rig.context("us-east-1/other")),
      ).rejects.toMatchObject({ code: "permission-denied" });
    } finally {
      emulator.allow("ec2:GetConsoleOutput");
    }
  });

  test.each(["auto", "console"] as const)(
    "with another host key than its console shows is refused: %s",
    async (how) => {
      const context = { ...rig.context("us-east-1/launch"), cloud: withConsole(rig.cloud) };
      await expect(launch.run(await withHostKey(how), context)).rejects.toMatchObject({
        code: "host-key-changed",
      });
    },
  );

  async function withTypes(...types: string[]): Promise<LaunchInput> {
    const input = await toLaunch(rig);
    return { ...input, checked: { ...input.checked, instanceTypes: types } };
  }

  async function withHostKey(hostKey: "auto" | "console"): Promise<LaunchInput> {
    const input = await toLaunch(rig);
    return { ...input, connect: { ...input.connect, hostKey } };
  }
});

describe("an instance that nobody can log in to", () => {
  let ec2: Ec2Rig;
  beforeEach(async () => {
    ec2 = await newRig();
    await ec2.emulator.furnish(furniture);
    return () => ec2[Symbol.asyncDispose]();
  });

  test("because it died says what EC2 says of it, and nothing of it stays", async () => {
    await using rig = await newStageRig(ec2.emulator.cloud);
    ec2.host.failure = new Error("the kernel did not find its root");
    const dead = rig.stage(launch, await toLaunch(rig));
    await expect(dead).rejects.toMatchObject({ code: "aws-fault" });
    await expect(dead).rejects.toThrow(/instance i-\w+ is terminated instead of running: /);
    expect(rig.lines.at(-1)).toContain("the kernel did not find its root");
    expect(await rig.giveBack()).toEqual([]);
    expect(ec2.emulator.left()).toMatchObject(nothing);
  });

  test("because its console never shows a host key says so, and names the way out", async () => {
    await using rig = await newStageRig(ec2.emulator.cloud);
    const input = await toLaunch(rig);
    const connect = { ...input.connect, hostKey: "console", timeoutSeconds: 1 } as const;
    await expect(rig.stage(launch, { ...input, connect })).rejects.toMatchObject({
      code: "timeout",
      hint: "raise connect.timeout, or set connect.hostKey for an AMI without cloud-init: the key itself, or first-use",
    });
  });

  test("has no group of its own when the spec names one, and an unknown one is told", async () => {
    await using rig = await newStageRig(ec2.emulator.cloud);
    const input = { ...(await toLaunch(rig)), securityGroups: ["sg-0123456789abcdef0"] };
    await expect(rig.stage(launch, input)).rejects.toThrow(/sg-0123456789abcdef0/);
    expect(ec2.emulator.calls("CreateSecurityGroup")).toBe(0);
  });

  test("of an AMI that is not there is never asked for twice", async () => {
    await using rig = await newStageRig(ec2.emulator.cloud);
    const checked = toChecked(toImage({ id: "ami-0bbbbbbbbbbbbbbbb" }), ["m3.medium", "m3.large"]);
    await expect(rig.stage(launch, { ...(await toLaunch(rig)), checked })).rejects.toThrow(
      /ami-0bbbbbbbbbbbbbbbb/,
    );
    expect(ec2.emulator.calls("RunInstances")).toBe(1);
  });
});

/** A console that shows somebody else's key. */
function withConsole(cloud: Cloud): Cloud {
  const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIvJ4wS8QQeXJ5JrG1gWk3cHn3T2TqkU1Nn4JpM3lQxA";
  const lines = ["-----BEGIN SSH HOST KEY KEYS-----", key, "-----END SSH HOST KEY KEYS-----"];
  return {
    ...cloud,
    account: (account) => ({
      ...cloud.account(account),
      consoleOutput: () => Promise.resolve(lines.join("\n")),
    }),
  };
}
