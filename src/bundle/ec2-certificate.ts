import { generateKeyPair } from "node:crypto";
import { promisify } from "node:util";
import { toPublicKey } from "./pem.ts";

/**
 * A certificate around EC2's public key, for tools that read nothing else: a container. Who signed it nobody asks. A
 * certificate is returned as it is.
 */
export async function toEc2Certificate(pem: string): Promise<string> {
  const publicKey = toPublicKey(pem).export({ type: "spki", format: "pem" }).toString();
  if (pem.includes("-----BEGIN CERTIFICATE-----")) return pem;
  const { default: forge } = await import("node-forge");
  const signer = await promisify(generateKeyPair)("rsa", { modulusLength: 2048 });
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.publicKeyFromPem(publicKey);
  certificate.serialNumber = "01";
  certificate.validity.notBefore = new Date("2006-01-01T00:00:00Z");
  certificate.validity.notAfter = new Date("2049-12-31T00:00:00Z");
  const name = [{ name: "commonName", value: "EC2 bundle key, wrapped by imgspec" }];
  certificate.setSubject(name);
  certificate.setIssuer(name);
  const signingKey = signer.privateKey.export({ type: "pkcs1", format: "pem" }).toString();
  certificate.sign(forge.pki.privateKeyFromPem(signingKey), forge.md.sha256.create());
  return forge.pki.certificateToPem(certificate).replaceAll("\r\n", "\n");
}
