import { generateKeyPair, randomBytes, X509Certificate } from "node:crypto";
import { promisify } from "node:util";
import { Problem } from "../problem.ts";
import { toPrivateKey, toPublicKey } from "./pem.ts";

/** PEM of a certificate and of its private key. */
export type UserCertificate = { readonly certificate: string; readonly privateKey: string };

/** What a new certificate is like; ten years of 2048 bits suffice to sign bundles. */
export type CertificateOptions = {
  /** Absent: imgspec. */
  readonly commonName?: string;
  readonly bits?: 2048 | 3072 | 4096;
  readonly from?: Date;
  /** Absent: ten years. */
  readonly days?: number;
};

/** A new RSA key and a self-signed certificate around it: nobody checks the chain of who signs bundles. */
export async function newUserCertificate(options: CertificateOptions = {}): Promise<UserCertificate> {
  const { commonName = "imgspec", bits = 2048, from = new Date(), days } = options;
  const keys = await promisify(generateKeyPair)("rsa", { modulusLength: bits });
  const privateKey = keys.privateKey.export({ type: "pkcs1", format: "pem" }).toString();
  const publicKey = keys.publicKey.export({ type: "spki", format: "pem" }).toString();

  // Slow to load, and most runs of the program make no certificate.
  const { default: forge } = await import("node-forge");
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.publicKeyFromPem(publicKey);
  // A leading 01 keeps it positive and of full length.
  certificate.serialNumber = `01${randomBytes(15).toString("hex")}`;
  certificate.validity.notBefore = from;
  certificate.validity.notAfter = toEnd(from, days);
  const name = [{ name: "commonName", value: commonName }];
  certificate.setSubject(name);
  certificate.setIssuer(name);
  certificate.sign(forge.pki.privateKeyFromPem(privateKey), forge.md.sha256.create());
  return { certificate: forge.pki.certificateToPem(certificate).replaceAll("\r\n", "\n"), privateKey };
}

function toEnd(from: Date, days: number | undefined): Date {
  const end = new Date(from);
  if (days === undefined) end.setUTCFullYear(from.getUTCFullYear() + 10);
  else end.setUTCDate(end.getUTCDate() + days);
  return end;
}

/** Refuses, as `certificate-unusable`, a certificate and a key that cannot sign a bundle together. Dates do not count. */
export function checkPair(certificatePem: string, privateKeyPem: string): void {
  toPublicKey(certificatePem);
  const privateKey = toPrivateKey(privateKeyPem);
  if (!certificatePem.includes("-----BEGIN CERTIFICATE-----")) {
    throw new Problem("certificate-unusable", "the certificate is a bare public key");
  }
  if (!new X509Certificate(certificatePem).checkPrivateKey(privateKey)) {
    throw new Problem("certificate-unusable", "the certificate and the private key are not a pair", {
      hint: "the certificate must have been made from this very key",
    });
  }
}
