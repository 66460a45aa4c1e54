import { createHash, createPublicKey, type KeyObject, X509Certificate } from "node:crypto";
import type { CertificateVariant } from "../util/region.ts";
import { variantOfKey } from "./ec2-keys.ts";
import { toPrivateKey, toPublicKey } from "./pem.ts";

/** What a certificate says of itself. Of a bare public key there are only the last three. */
export type CertificateFacts = {
  readonly certificate: {
    readonly subject: string;
    readonly issuer: string;
    /** Hex. */
    readonly serial: string;
    readonly notBefore: Date;
    readonly notAfter: Date;
    /** Hex pairs with colons, of the DER certificate. */
    readonly sha256: string;
    readonly sha1: string;
  } | null;
  /** Of the RSA key. */
  readonly bits: number;
  /** Hex SHA-256 of the SubjectPublicKeyInfo in DER: a certificate that is renewed with the same key keeps it. */
  readonly pin: string;
  /** Which of EC2's keys it holds, if any. */
  readonly variant: CertificateVariant | null;
};

/** Reads a PEM certificate or RSA public key; what is neither is the Problem `certificate-unusable`. */
export function describeCertificate(pem: string): CertificateFacts {
  const key = toPublicKey(pem);
  return {
    certificate: pem.includes("-----BEGIN CERTIFICATE-----") ? describe(new X509Certificate(pem)) : null,
    bits: key.asymmetricKeyDetails?.modulusLength ?? 0,
    pin: pinOf(key),
    variant: variantOfKey(pem),
  };
}

/** Whether this private key belongs to the certificate or public key. */
export function isPair(pem: string, privateKeyPem: string): boolean {
  return pinOf(createPublicKey(toPrivateKey(privateKeyPem))) === pinOf(toPublicKey(pem));
}

function describe(certificate: X509Certificate): CertificateFacts["certificate"] {
  return {
    subject: toLine(certificate.subject),
    issuer: toLine(certificate.issuer),
    serial: certificate.serialNumber,
    notBefore: new Date(certificate.validFrom),
    notAfter: new Date(certificate.validTo),
    sha256: certificate.fingerprint256,
    sha1: certificate.fingerprint,
  };
}

/** OpenSSL gives one attribute a line. */
function toLine(name: string | undefined): string {
  return (name ?? "").split("\n").join(", ");
}

function pinOf(key: KeyObject): string {
  return createHash("sha256")
    .update(key.export({ type: "spki", format: "der" }))
    .digest("hex");
}
