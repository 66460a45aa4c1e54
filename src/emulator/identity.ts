import { generateKeyPair, randomBytes, randomInt } from "node:crypto";
import { promisify } from "node:util";
import forge from "node-forge";
import type { CertificateVariant } from "../util/region.ts";
import type { AccessKey } from "./authorization.ts";
import { readState, writeState } from "./state-file.ts";

/** Whose cloud it is. One account and one access key serve all three partitions, which in AWS they never do. */
export type Identity = {
  /** Twelve digits. */
  readonly accountId: string;
  readonly accessKey: AccessKey;
  /** What stands in for EC2's own key pairs, as PEM. */
  readonly ec2Keys: Readonly<Record<CertificateVariant, Ec2Key>>;
};

export type Ec2Key = { readonly certificate: string; readonly privateKey: string };

/** The identity kept in this file, made when there is none yet. */
export async function openIdentity(path: string): Promise<Identity> {
  const kept = await readState<Identity>(path);
  if (kept) return kept;
  const made = await makeIdentity();
  await writeState(path, made);
  return made;
}

async function makeIdentity(): Promise<Identity> {
  // The sizes are those of EC2's real keys, so that a wrapped key is as long as it is there.
  const [commercial, china, gov] = await Promise.all([
    makeEc2Key("EC2 (emulated)", 1024),
    makeEc2Key("EC2 cn-north-1 (emulated)", 2048),
    makeEc2Key("EC2 GovCloud (emulated)", 1024),
  ]);
  return {
    accountId: String(randomInt(100_000_000_000, 999_999_999_999)),
    accessKey: {
      accessKeyId: `AKIA${randomBase32(16)}`,
      secretAccessKey: randomBytes(30).toString("base64"),
    },
    ec2Keys: { commercial, "cn-north-1": china, gov },
  };
}

async function makeEc2Key(commonName: string, modulusLength: number): Promise<Ec2Key> {
  const pair = await promisify(generateKeyPair)("rsa", { modulusLength });
  const privateKey = pair.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const publicKey = pair.publicKey.export({ type: "spki", format: "pem" }).toString();
  return { certificate: toCertificate(commonName, publicKey, privateKey), privateKey };
}

function toCertificate(commonName: string, publicKey: string, privateKey: string): string {
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.publicKeyFromPem(publicKey);
  certificate.serialNumber = `01${randomBytes(8).toString("hex")}`;
  certificate.validity.notBefore = new Date();
  certificate.validity.notAfter = new Date(Date.now() + 10 * 365 * 24 * 60 * 60 * 1000);
  const name = [{ name: "commonName", value: commonName }];
  certificate.setSubject(name);
  certificate.setIssuer(name);
  certificate.sign(forge.pki.privateKeyFromPem(privateKey), forge.md.sha256.create());
  return forge.pki.certificateToPem(certificate);
}

function randomBase32(length: number): string {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  return Array.from({ length }, () => letters[randomInt(letters.length)]).join("");
}
