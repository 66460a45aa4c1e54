import { DescribeInstancesCommand, DescribeSecurityGroupsCommand, EC2Client } from "@aws-sdk/client-ec2";
import { describe, expect, test } from "vitest";
import { launch } from "../../src/stage/launch.ts";
import { shell } from "../../src/stage/shell.ts";
import { whyNot } from "../emulator/sandbox/rig.ts";
import { startGuestCloud } from "../help/guest-cloud.ts";
import { haveMoto, startMoto } from "../help/moto.ts";
import { toLaunch } from "../help/stage-builder.ts";
import { newStageRig } from "../help/stage-rig.ts";

const credentials = { accessKeyId: "AKIAEXAMPLE", secretAccessKey: "example" };
const why = haveMoto ? await whyNot() : "python3 has no moto";

describe.skipIf(why !== undefined)(`against moto (skipped: ${why})`, () => {
  test("an instance is launched, logged in to, told to run a script, and given back with all that was made for it", async () => {
    await using moto = await startMoto();
    await using guests = await startGuestCloud();
    await using rig = await newStageRig({ endpointUrl: moto.url, credentials, ...guests.options });
    guests.letIn(rig.run.directory);
    const on = await rig.stage(launch, await toLaunch(rig));
    const before = rig.lines.length;
    await rig.stage(shell, {
      on,
      script: { inline: "echo here" },
      env: {},
      sudo: true,
      workdir: null,
      exitCodes: [0],
      timeoutSeconds: 30,
      retries: 0,
      label: "provision[0]",
    });
    expect(rig.lines.slice(before)).toEqual(["here"]);

    const ec2 = new EC2Client({ endpoint: moto.url, region: "us-east-1", credentials });
    const { Reservations } = await ec2.send(new DescribeInstancesCommand({ InstanceIds: [on.instanceId] }));
    const tag = { Key: "imgspec:run", Value: rig.run.id };
    expect(Reservations?.[0]?.Instances?.[0]?.Tags).toContainEqual(tag);
    const groups = new DescribeSecurityGroupsCommand({
      Filters: [{ Name: "tag:imgspec:run", Values: [rig.run.id] }],
    });
    const { SecurityGroups } = await ec2.send(groups);
    expect(SecurityGroups).toMatchObject([
      { IpPermissions: [{ FromPort: 22, ToPort: 22, IpRanges: [{ CidrIp: "203.0.113.9/32" }] }] },
    ]);
    expect(await rig.giveBack()).toEqual([]);
    expect((await ec2.send(groups)).SecurityGroups).toEqual([]);
    ec2.destroy();
  });
});
