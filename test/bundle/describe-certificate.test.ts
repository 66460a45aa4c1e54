import { expect, test } from "vitest";
import { describeCertificate, isPair } from "../../src/bundle/describe-certificate.ts";
import { ec2KeyPins, ec2PublicKey } from "../../src/bundle/ec2-keys.ts";
import { newUserCertificate } from "../../src/bundle/user-certificate.ts";
import { ec2Certificate, ec2PrivateKey, userCertificate, userPrivateKey } from "./golden.ts";

const from = new Date("2026-11-22T12:00:00Z");

test.each([2048, 3072, 4096] as const)(
  "a new certificate of %d bits is as it was asked for",
  async (bits) => {
    const pair = await newUserCertificate({ commonName: "acme images", bits, days: 30, from });
    const { certificate, ...facts } = describeCertificate(pair.certificate);
    expect(certificate).toMatchObject({
      subject: "CN=acme images",
      issuer: "CN=acme images",
      notBefore: from,
      notAfter: new Date("2026-12-22T12:00:00Z"),
    });
    expect(certificate?.sha256).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
    expect(certificate?.sha1).toMatch(/^([0-9A-F]{2}:){19}[0-9A-F]{2}$/);
    expect(facts).toMatchObject({ bits, variant: null, pin: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(isPair(pair.certificate, pair.privateKey)).toBe(true);
  },
);

test.each(["commercial", "cn-north-1", "gov"] as const)("EC2's %s key is known again", (variant) => {
  const pin = ec2KeyPins[variant];
  const bits = variant === "cn-north-1" ? 2048 : 1024;
  expect(describeCertificate(ec2PublicKey(variant))).toEqual({ certificate: null, bits, pin, variant });
});

test("pairs are told from what is none", () => {
  expect(isPair(userCertificate, userPrivateKey)).toBe(true);
  expect(isPair(ec2Certificate, ec2PrivateKey)).toBe(true);
  expect(isPair(userCertificate, ec2PrivateKey)).toBe(false);
});

test("what is no certificate is refused", () => {
  expect(() => describeCertificate("hello")).toThrow("the certificate is not PEM");
  expect(() => describeCertificate(userPrivateKey)).toThrow("the certificate is a private key");
});
