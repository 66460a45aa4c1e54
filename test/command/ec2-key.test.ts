import { createPublicKey } from "node:crypto";
import { expect, test } from "vitest";
import { ec2PublicKey } from "../../src/bundle/ec2-keys.ts";
import { chooseEc2Key } from "../../src/command/ec2-key.ts";
import { ec2Certificate, goldenPath } from "../bundle/golden.ts";

const unknown = goldenPath("keys/cert-ec2-fake.pem");

test("a region gets its EC2's key, and without one it is the commercial key", async () => {
  const chosen = await Promise.all(
    [undefined, "eu-west-1", "us-gov-west-1", "cn-north-1"].map((region) =>
      chooseEc2Key(region ? { region } : {}),
    ),
  );
  expect(chosen.map(({ variant }) => variant)).toEqual(["commercial", "commercial", "gov", "cn-north-1"]);
  expect(chosen[2]?.pem).toBe(ec2PublicKey("gov"));
});

test("a region whose key nobody has published asks for a certificate", async () => {
  const refusal = { code: "certificate-unusable", hint: "name one: --ec2cert PATH" };
  await expect(chooseEc2Key({ region: "cn-northwest-1" })).rejects.toMatchObject(refusal);
  const { variant, pem } = await chooseEc2Key({ region: "cn-northwest-1", ec2cert: unknown });
  expect([variant, pem]).toEqual([null, ec2Certificate]);
});

test("a certificate that is not the region's is refused unless that is allowed", async () => {
  await expect(chooseEc2Key({ region: "us-east-1", ec2cert: "gov" })).rejects.toMatchObject({
    code: "certificate-unusable",
    message: "EC2's gov key, but us-east-1 opens bundles with EC2's commercial key",
  });
  await expect(chooseEc2Key({ region: "us-east-1", ec2cert: unknown })).rejects.toMatchObject({
    message: `${unknown} is a key that EC2 does not have, but us-east-1 opens bundles with EC2's commercial key`,
  });
  const chosen = await chooseEc2Key({ region: "us-east-1", ec2cert: "gov", allowMismatch: true });
  expect(chosen.variant).toBe("gov");
});

test("keys that stand in for EC2's take their places", async () => {
  const other = ec2PublicKey("gov");
  const standIns = { commercial: ec2Certificate, "cn-north-1": other, gov: other };
  expect((await chooseEc2Key({ region: "us-east-1" }, standIns)).pem).toBe(ec2Certificate);
  const { variant, pem } = await chooseEc2Key({ region: "us-east-1", ec2cert: unknown }, standIns);
  expect([variant, createPublicKey(pem).type]).toEqual(["commercial", "public"]);
});

test("what is no region, and a file that is not there, are said so", async () => {
  await expect(chooseEc2Key({ region: "useast1" })).rejects.toMatchObject({ code: "usage-wrong" });
  await expect(chooseEc2Key({ ec2cert: "/nowhere.pem" })).rejects.toMatchObject({ code: "file-unreadable" });
});
