import { createPublicKey, generateKeyPairSync, X509Certificate } from "node:crypto";
import { expect, test } from "vitest";
import { checkPair, newUserCertificate } from "../../src/bundle/user-certificate.ts";
import { ec2PrivateKey, userCertificate, userPrivateKey } from "./golden.ts";

test("a new certificate is a pair with its key, signs itself, and names who it is for", async () => {
  const from = new Date("2026-01-02T03:04:05Z");
  const made = await newUserCertificate({ commonName: "acme images", from });
  checkPair(made.certificate, made.privateKey);
  const certificate = new X509Certificate(made.certificate);
  expect(certificate.verify(certificate.publicKey)).toBe(true);
  expect(certificate.subject).toBe("CN=acme images");
  expect(certificate.publicKey.asymmetricKeyDetails?.modulusLength).toBe(2048);
  expect([new Date(certificate.validFrom), new Date(certificate.validTo)]).toEqual([
    from,
    new Date("2036-01-02T03:04:05Z"),
  ]);
});

test("two new certificates have nothing in common", async () => {
  const [one, two] = await Promise.all([newUserCertificate(), newUserCertificate()]);
  expect(one.privateKey).not.toBe(two.privateKey);
  expect(new X509Certificate(one.certificate).serialNumber).not.toBe(
    new X509Certificate(two.certificate).serialNumber,
  );
});

test("a pair that users made with openssl is accepted", () => {
  expect(() => checkPair(userCertificate, userPrivateKey)).not.toThrow();
});

const encrypted = generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey;
const elliptic = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
const passphrase = { cipher: "aes-256-cbc", passphrase: "secret", format: "pem" } as const;

test.each([
  ["a certificate that is no PEM", "hello", userPrivateKey, "the certificate is not PEM"],
  ["a key that is no PEM", userCertificate, "hello", "the private key is not PEM"],
  ["the two in the wrong order", userPrivateKey, userCertificate, "the certificate is a private key"],
  [
    "an encrypted key, PKCS#8",
    userCertificate,
    encrypted.export({ type: "pkcs8", ...passphrase }).toString(),
    "the private key is encrypted with a passphrase",
  ],
  [
    "an encrypted key, PKCS#1",
    userCertificate,
    encrypted.export({ type: "pkcs1", ...passphrase }).toString(),
    "the private key is encrypted with a passphrase",
  ],
  [
    "a key that is not RSA",
    userCertificate,
    elliptic.export({ type: "pkcs8", format: "pem" }).toString(),
    "the private key has a key of type ec; bundles need RSA",
  ],
  ["two that are no pair", userCertificate, ec2PrivateKey, "are not a pair"],
  [
    "a public key in place of the certificate",
    createPublicKey(userCertificate).export({ type: "spki", format: "pem" }).toString(),
    userPrivateKey,
    "the certificate is a bare public key",
  ],
])("%s cannot be used", (_what, certificate, key, why) => {
  expect(() => checkPair(certificate, key)).toThrow(
    expect.objectContaining({ code: "certificate-unusable" }),
  );
  expect(() => checkPair(certificate, key)).toThrow(why);
});
