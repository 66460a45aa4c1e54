import { createHash, createPublicKey } from "node:crypto";
import { expect, test } from "vitest";
import { ec2KeyPins, ec2PublicKey, variantOfKey } from "../../src/bundle/ec2-keys.ts";
import { newUserCertificate } from "../../src/bundle/user-certificate.ts";
import { ec2Certificate, ec2PrivateKey, userCertificate } from "./golden.ts";

const variants = ["commercial", "cn-north-1", "gov"] as const;

test.each(variants)("EC2's %s key is the one that Amazon ships", (variant) => {
  const key = createPublicKey(ec2PublicKey(variant));
  const der = key.export({ type: "spki", format: "der" });
  expect(createHash("sha256").update(der).digest("hex")).toBe(ec2KeyPins[variant]);
  expect(key.asymmetricKeyDetails).toMatchObject({
    modulusLength: variant === "cn-north-1" ? 2048 : 1024,
    publicExponent: 65537n,
  });
});

test("a key is known again by its pin, and one that is not EC2's is nobody's", () => {
  expect(variants.map((variant) => variantOfKey(ec2PublicKey(variant)))).toEqual(variants);
  expect(variantOfKey(userCertificate)).toBeNull();
});

test("stand-ins take the place of EC2's keys", () => {
  const standIns = { commercial: userCertificate, "cn-north-1": ec2Certificate, gov: ec2PublicKey("gov") };
  expect(variantOfKey(ec2Certificate, standIns)).toBe("cn-north-1");
  expect(variantOfKey(ec2PublicKey("commercial"), standIns)).toBeNull();
});

test("a certificate of long ago is as good as any", async () => {
  const old = await newUserCertificate({ from: new Date("2005-08-09T00:00:00Z") });
  expect(variantOfKey(old.certificate)).toBeNull();
});

test.each([
  ["text that is no PEM", "hello", "the certificate is not PEM"],
  [
    "a broken certificate",
    "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
    "cannot be read as PEM",
  ],
  ["a private key", ec2PrivateKey, "the certificate is a private key"],
])("%s is refused", (_what, pem, why) => {
  expect(() => variantOfKey(pem)).toThrow(expect.objectContaining({ code: "certificate-unusable" }));
  expect(() => variantOfKey(pem)).toThrow(why);
});
