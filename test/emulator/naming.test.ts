import { generateKeyPairSync } from "node:crypto";
import {
  type _InstanceType,
  AuthorizeSecurityGroupIngressCommand,
  CreateKeyPairCommand,
  CreateSecurityGroupCommand,
  DeleteKeyPairCommand,
  DeleteSecurityGroupCommand,
  DescribeImagesCommand,
  DescribeInstancesCommand,
  DescribeKeyPairsCommand,
  DescribeSecurityGroupsCommand,
  ImportKeyPairCommand,
  RunInstancesCommand,
  TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import ssh2 from "ssh2";
import { expect, test } from "vitest";
import { launch, sourceImage, stateOf } from "./launch.ts";
import { codeOf, errorOf, newRig, until } from "./rig.ts";

test("EC2-1 a name is given once in a region, and again in another", async () => {
  await using rig = await newRig();
  const ec2 = rig.ec2();
  const key = new CreateKeyPairCommand({ KeyName: "k" });
  const group = new CreateSecurityGroupCommand({ GroupName: "g", Description: "d" });
  const made = await ec2.send(key);
  expect(made.KeyMaterial).toContain("BEGIN RSA PRIVATE KEY");
  await ec2.send(group);
  expect(await codeOf(ec2.send(key))).toBe("InvalidKeyPair.Duplicate");
  expect(await codeOf(ec2.send(group))).toBe("InvalidGroup.Duplicate");
  await rig.ec2("us-west-2").send(key);
  await rig.ec2("us-west-2").send(group);
});

test("EC2-2 an imported key is what ssh shows, and one that is no key is refused", async () => {
  await using rig = await newRig();
  const ec2 = rig.ec2();
  const pair = ssh2.utils.generateKeyPairSync("ed25519", { comment: "me" });
  const PublicKeyMaterial = Buffer.from(pair.public);
  const imported = await ec2.send(new ImportKeyPairCommand({ KeyName: "mine", PublicKeyMaterial }));
  expect(imported.KeyPairId).toMatch(/^key-[0-9a-f]{17}$/);
  const described = await ec2.send(
    new DescribeKeyPairsCommand({ KeyNames: ["mine"], IncludePublicKey: true }),
  );
  expect(described.KeyPairs?.[0]).toMatchObject({
    KeyName: "mine",
    KeyType: "ed25519",
    PublicKey: pair.public.trim(),
  });
  const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const pem = Buffer.from(publicKey.export({ type: "spki", format: "pem" }));
  for (const material of [pem, Buffer.from("nothing")]) {
    const bad = new ImportKeyPairCommand({ KeyName: "bad", PublicKeyMaterial: material });
    expect(await codeOf(ec2.send(bad))).toBe("InvalidKey.Format");
  }
});

test("EC2-2 what does not exist has a code of its own", async () => {
  await using rig = await newRig();
  const ec2 = rig.ec2();
  const ImageId = await sourceImage(ec2);
  const run = (input: object): Promise<string> =>
    codeOf(
      ec2.send(
        new RunInstancesCommand({ ImageId, MinCount: 1, MaxCount: 1, InstanceType: "m3.medium", ...input }),
      ),
    );
  expect(await run({ ImageId: "ami-0123456789abcdef0" })).toBe("InvalidAMIID.NotFound");
  expect(await run({ ImageId: "ami-xyz" })).toBe("InvalidAMIID.Malformed");
  expect(await run({ KeyName: "none" })).toBe("InvalidKeyPair.NotFound");
  expect(await run({ SecurityGroupIds: ["sg-0123456789abcdef0"] })).toBe("InvalidGroup.NotFound");
  expect(await run({ SecurityGroupIds: ["group"] })).toBe("InvalidGroupId.Malformed");
  expect(await run({ SubnetId: "subnet-0123456789abcdef0" })).toBe("InvalidSubnetID.NotFound");
  expect(await run({ InstanceType: "m3.tiny" as _InstanceType })).toBe("InvalidParameterValue");
  expect(await run({ ImageId: undefined })).toBe("MissingParameter");
  const describe = (id: string): Promise<string> =>
    codeOf(ec2.send(new DescribeInstancesCommand({ InstanceIds: [id] })));
  expect(await describe("i-0123456789abcdef0")).toBe("InvalidInstanceID.NotFound");
  expect(await describe("instance")).toBe("InvalidInstanceID.Malformed");
  expect(await codeOf(ec2.send(new DescribeImagesCommand({ ImageIds: ["ami-0123456789abcdef0"] })))).toBe(
    "InvalidAMIID.NotFound",
  );
  expect(await codeOf(ec2.send(new DescribeKeyPairsCommand({ KeyNames: ["none"] })))).toBe(
    "InvalidKeyPair.NotFound",
  );
  const groups = new DescribeSecurityGroupsCommand({ GroupIds: ["sg-0123456789abcdef0"] });
  expect(await codeOf(ec2.send(groups))).toBe("InvalidGroup.NotFound");
  // A key pair that is not there is as good as deleted.
  await ec2.send(new DeleteKeyPairCommand({ KeyName: "none" }));
});

test("EC2-3 a dry run changes nothing and tells whether the call would be allowed", async () => {
  await using rig = await newRig();
  const ec2 = rig.ec2();
  const ImageId = await sourceImage(ec2);
  const dry = { DryRun: true };
  const run = { ImageId, MinCount: 1, MaxCount: 1, InstanceType: "m3.medium" as const, ...dry };
  const calls = [
    () => ec2.send(new CreateKeyPairCommand({ KeyName: "k", ...dry })),
    () => ec2.send(new CreateSecurityGroupCommand({ GroupName: "g", Description: "d", ...dry })),
    () => ec2.send(new RunInstancesCommand(run)),
    () => ec2.send(new DescribeImagesCommand(dry)),
  ];
  for (const call of calls) {
    const error = await errorOf(call());
    expect([error.name, error.$metadata?.httpStatusCode]).toEqual(["DryRunOperation", 412]);
  }
  expect(rig.emulator.left()).toMatchObject({ instances: [], keyPairs: [], securityGroups: [] });
  expect(rig.host.started).toEqual([]);
  rig.emulator.deny("ec2:RunInstances");
  expect(await codeOf(ec2.send(new RunInstancesCommand(run)))).toBe("UnauthorizedOperation");
});

test("EC2-7 a security group in use stays, and the default one always", async () => {
  await using rig = await newRig();
  const ec2 = rig.ec2();
  const { GroupId = "" } = await ec2.send(
    new CreateSecurityGroupCommand({ GroupName: "g", Description: "d" }),
  );
  const id = await launch(ec2, { SecurityGroupIds: [GroupId] });
  expect(await codeOf(ec2.send(new DeleteSecurityGroupCommand({ GroupId })))).toBe("DependencyViolation");
  await ec2.send(new TerminateInstancesCommand({ InstanceIds: [id] }));
  await until(
    () => stateOf(ec2, id),
    (state) => state === "terminated",
  );
  await ec2.send(new DeleteSecurityGroupCommand({ GroupId }));
  const { SecurityGroups = [] } = await ec2.send(new DescribeSecurityGroupsCommand({}));
  expect(SecurityGroups.map(({ GroupName }) => GroupName)).toEqual(["default"]);
  const standard = SecurityGroups[0]?.GroupId;
  expect(await codeOf(ec2.send(new DeleteSecurityGroupCommand({ GroupId: standard })))).toBe("CannotDelete");
});

test("EC2-2 a rule is described as it was made, not made twice, and must be sound", async () => {
  await using rig = await newRig();
  const ec2 = rig.ec2();
  const { GroupId = "" } = await ec2.send(
    new CreateSecurityGroupCommand({ GroupName: "g", Description: "d" }),
  );
  const rule = (CidrIp: string, FromPort = 22) =>
    ec2.send(
      new AuthorizeSecurityGroupIngressCommand({
        GroupId,
        IpPermissions: [
          { IpProtocol: "tcp", FromPort, ToPort: 22, IpRanges: [{ CidrIp, Description: "ssh" }] },
        ],
      }),
    );
  await rule("198.51.100.7/32");
  expect(await codeOf(rule("198.51.100.7/32"))).toBe("InvalidPermission.Duplicate");
  expect(await codeOf(rule("198.51.100.777/32"))).toBe("InvalidParameterValue");
  expect(await codeOf(rule("198.51.100.7/33"))).toBe("InvalidParameterValue");
  expect(await codeOf(rule("198.51.100.7/32", 23))).toBe("InvalidParameterValue");
  const { SecurityGroups } = await ec2.send(new DescribeSecurityGroupsCommand({ GroupIds: [GroupId] }));
  expect(SecurityGroups?.[0]?.IpPermissions).toMatchObject([
    {
      IpProtocol: "tcp",
      FromPort: 22,
      ToPort: 22,
      IpRanges: [{ CidrIp: "198.51.100.7/32", Description: "ssh" }],
    },
  ]);
});
