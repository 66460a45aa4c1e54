import {
  DeregisterImageCommand,
  DescribeImageAttributeCommand,
  DescribeImagesCommand,
  DisableImageDeprecationCommand,
  DisableImageDeregistrationProtectionCommand,
  EnableImageDeprecationCommand,
  EnableImageDeregistrationProtectionCommand,
  ModifyImageAttributeCommand,
} from "@aws-sdk/client-ec2";
import { expect, test } from "vitest";
import { registered } from "../help/registered-image.ts";
import { codeOf, newRig } from "./rig.ts";

const unit = "arn:aws:organizations::123456789012:ou/o-exampleorgid/ou-ab12-cdefghij";

test("EC2-18 an image is shared with whom there may be, and no longer when that is taken back", async () => {
  await using rig = await newRig();
  const ec2 = rig.ec2();
  const ImageId = await registered({ options: rig.emulator.cloud });
  const change = (LaunchPermission: object) =>
    ec2.send(new ModifyImageAttributeCommand({ ImageId, LaunchPermission }));
  await change({ Add: [{ UserId: "210987654321" }, { OrganizationalUnitArn: unit }, { Group: "all" }] });
  await change({ Add: [{ OrganizationalUnitArn: unit }], Remove: [{ UserId: "210987654321" }] });
  const command = new DescribeImageAttributeCommand({ ImageId, Attribute: "launchPermission" });
  const { LaunchPermissions } = await ec2.send(command);
  expect(LaunchPermissions).toEqual([{ Group: "all" }, { OrganizationalUnitArn: unit }]);
  expect(await codeOf(change({ Add: [{ UserId: "1234" }] }))).toBe("InvalidUserID.Malformed");
  expect(await codeOf(change({ Add: [{ OrganizationArn: unit }] }))).toBe("InvalidParameterValue");
});

test("EC2-19 a time of deprecation is ahead, to the minute, and at most two or ten years", async () => {
  await using rig = await newRig();
  const ec2 = rig.ec2();
  const ImageId = await registered({ options: rig.emulator.cloud });
  const deprecate = (years: number) => {
    const DeprecateAt = new Date(Date.now() + years * 365.25 * 86_400_000);
    return ec2.send(new EnableImageDeprecationCommand({ ImageId, DeprecateAt }));
  };
  const time = async () => {
    const { Images } = await ec2.send(new DescribeImagesCommand({ ImageIds: [ImageId] }));
    return Images?.[0]?.DeprecationTime;
  };
  await deprecate(9);
  expect(await time()).toMatch(/:00\.000Z$/);
  expect(await codeOf(deprecate(-1))).toBe("InvalidParameterValue");
  expect(await codeOf(deprecate(11))).toBe("InvalidParameterValue");
  const share = { ImageId, LaunchPermission: { Add: [{ Group: "all" as const }] } };
  await ec2.send(new ModifyImageAttributeCommand(share));
  expect(await codeOf(deprecate(3))).toBe("InvalidParameterValue");
  await ec2.send(new DisableImageDeprecationCommand({ ImageId }));
  expect(await time()).toBeUndefined();
});

test("EC2-20 a protected image is not deregistered, and with a cooldown not at once afterwards", async () => {
  await using rig = await newRig();
  const ec2 = rig.ec2();
  const ImageId = await registered({ options: rig.emulator.cloud });
  const protect = (WithCooldown: boolean) =>
    ec2.send(new EnableImageDeregistrationProtectionCommand({ ImageId, WithCooldown }));
  const unprotect = () => ec2.send(new DisableImageDeregistrationProtectionCommand({ ImageId }));
  const deregister = () => ec2.send(new DeregisterImageCommand({ ImageId }));
  await protect(true);
  expect(await codeOf(deregister())).toBe("OperationNotPermitted");
  await unprotect();
  expect(await codeOf(deregister())).toBe("OperationNotPermitted");
  const { Images } = await ec2.send(new DescribeImagesCommand({ ImageIds: [ImageId] }));
  expect(Images?.[0]?.DeregistrationProtection).toMatch(/^disabling-until 20/);
  await protect(false);
  await unprotect();
  await deregister();
});
