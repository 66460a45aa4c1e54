import { DescribeImageAttributeCommand, DescribeImagesCommand, EC2Client } from "@aws-sdk/client-ec2";
import { describe, expect, test } from "vitest";
import type { Provider } from "../../src/aws/provider.ts";
import { Problem } from "../../src/problem.ts";
import { type PublishInput, publish } from "../../src/stage/publish.ts";
import { clouds } from "../help/clouds.ts";
import { registered } from "../help/registered-image.ts";
import { account } from "../help/stage-inputs.ts";
import { newProvider, newStageRig } from "../help/stage-rig.ts";

const nobody: PublishInput["share"] = {
  accounts: [],
  organizations: [],
  organizationalUnits: [],
  public: false,
};
const organization = "arn:aws:organizations::123456789012:organization/o-exampleorgid";
const unit = "arn:aws:organizations::123456789012:ou/o-exampleorgid/ou-ab12-cdefghij";

for (const { name, skipped, start } of clouds) {
  describe.skipIf(skipped)(name, () => {
    test("an image is shared with accounts, organizations and units, and once more without harm", async () => {
      await using cloud = await start();
      await using rig = await newStageRig(cloud.options);
      const image = await registered(cloud);
      const share = {
        ...nobody,
        accounts: ["210987654321"],
        organizations: [organization],
        organizationalUnits: [unit],
      };
      const input = { ...plain, registered: { ...plain.registered, imageId: image }, share };
      await rig.stage(publish, input);
      await rig.stage(publish, input);
      const ec2 = toClient(cloud.options);
      const command = new DescribeImageAttributeCommand({ ImageId: image, Attribute: "launchPermission" });
      const { LaunchPermissions = [] } = await ec2.send(command);
      ec2.destroy();
      const seen = LaunchPermissions.map((one) => JSON.stringify(one)).sort();
      expect(seen).toEqual(
        [{ OrganizationArn: organization }, { OrganizationalUnitArn: unit }, { UserId: "210987654321" }].map(
          (one) => JSON.stringify(one),
        ),
      );
    });

    // moto knows neither of these calls.
    test.skipIf(name !== "the emulator")(
      "an image is public, deprecated, and protected until the protection and its cooldown are over",
      async () => {
        await using cloud = await start();
        await using rig = await newStageRig(cloud.options);
        const image = await registered(cloud);
        const input: PublishInput = {
          ...plain,
          registered: { ...plain.registered, imageId: image },
          share: { ...nobody, public: true },
          deprecate: "180d",
          deregistrationProtection: "enabled-with-cooldown",
        };
        const published = await rig.stage(publish, input);
        const ec2 = toClient(cloud.options);
        const { Images = [] } = await ec2.send(new DescribeImagesCommand({ ImageIds: [image] }));
        ec2.destroy();
        expect(Images).toMatchObject([{ Public: true, DeregistrationProtection: "enabled-with-cooldown" }]);
        const days = (Date.parse(Images[0]?.DeprecationTime ?? "") - Date.now()) / 86_400_000;
        expect(days).toBeCloseTo(180, 2);
        expect(publish.summarize?.(published)).toMatch(/^everybody, deprecated at 20\d\d-\d\d-\d\dT[\d:]+Z$/);
        const provider = rig.cloud.account(account);
        await expect(provider.deregisterImage(image, never)).rejects.toThrow("protected from deregistration");
      },
    );

    test.skipIf(name !== "the emulator")("a time that is over is refused, with the command", async () => {
      await using cloud = await start();
      await using rig = await newStageRig(cloud.options);
      const image = await registered(cloud);
      const input = {
        ...plain,
        registered: { ...plain.registered, imageId: image },
        deprecate: "2020-01-01",
      };
      await expect(rig.stage(publish, input)).rejects.toMatchObject({
        code: "publish-failed",
        message: expect.stringContaining(`${image} is registered and proven, and stays; but `),
        hint: expect.stringContaining(
          `aws ec2 enable-image-deprecation --image-id ${image} --deprecate-at 2020-01-01T00:00:00Z --region us-east-1`,
        ),
      });
    });
  });
}

test("what fails is told all together, each with the command that does it by hand", async () => {
  const asked: string[] = [];
  const refuse = (what: string) => () => {
    asked.push(what);
    return Promise.reject(new Problem("permission-denied", `may not ${what}`, { hint: `allow ${what}` }));
  };
  const provider: Partial<Provider> = {
    shareImage: refuse("ec2:ModifyImageAttribute"),
    deprecateImage: () => Promise.resolve(),
    protectImage: refuse("ec2:EnableImageDeregistrationProtection"),
  };
  await using rig = await newStageRig(newProvider(provider));
  const input: PublishInput = {
    ...plain,
    share: { ...nobody, accounts: ["210987654321"], public: true },
    deprecate: "2030-01-02T03:04:05Z",
    deregistrationProtection: "enabled-without-cooldown",
  };
  await expect(rig.stage(publish, input)).rejects.toMatchObject({
    message:
      "ami-new is registered and proven, and stays; but may not ec2:ModifyImageAttribute; may not ec2:EnableImageDeregistrationProtection",
    hint:
      "do by hand what is left: allow ec2:ModifyImageAttribute; " +
      "`aws ec2 modify-image-attribute --image-id ami-new --launch-permission 'Add=[{UserId=210987654321},{Group=all}]' --region us-east-1`; " +
      "allow ec2:EnableImageDeregistrationProtection; " +
      "`aws ec2 enable-image-deregistration-protection --image-id ami-new --region us-east-1`",
  });
  expect(asked).toHaveLength(2);
  expect(rig.lines).toEqual(["ami-new is deprecated at 2030-01-02T03:04:05Z"]);
});

const never = new AbortController().signal;

const plain: PublishInput = {
  registered: {
    account,
    region: "us-east-1",
    imageId: "ami-new",
    name: "web 1",
    location: "acme-images/web/1/image.manifest.xml",
    architecture: "x86_64",
    virtualization: "paravirtual",
  },
  after: {},
  share: nobody,
  deprecate: null,
  deregistrationProtection: null,
};

function toClient({
  endpointUrl = "",
  credentials,
}: {
  endpointUrl?: string;
  credentials?: object;
}): EC2Client {
  return new EC2Client({ endpoint: endpointUrl, region: "us-east-1", credentials: credentials as never });
}
