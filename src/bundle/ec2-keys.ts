import { createHash, createPublicKey, type KeyObject } from "node:crypto";
import type { CertificateVariant } from "../util/region.ts";
import { toPublicKey } from "./pem.ts";

/**
 * The public keys of EC2's three bundle services, as in the certificates that Amazon ships with its AMI tools
 * (cert-ec2.pem, cert-ec2-cn-north-1.pem, cert-ec2-gov.pem). The certificates have long expired; the keys are the
 * ones in use, and cannot be changed, since a manifest does not say which was used. Exponent 65537 throughout.
 */
const moduli: Readonly<Record<CertificateVariant, string>> = {
  commercial:
    "BCBFF5F9CD9BFC08055F366BC13346EBFD151C7F5C14F310B9776A2D15042C40A077AA25A88F7A0778E5AC90E9533C55" +
    "59F0DFBF84468C8F2394920DBE83A5C46A0090B45084073515A0C8E240804F8968F9096905B656AFDB3B77DCB67412B4" +
    "CD0F8C658FB15016A6DACAD1D4F71B907053B6A75D9B7484E206CE4AC288BD6D",
  "cn-north-1":
    "EB4D5513D6A752790CE707A04C7114A8D913EDFC1A28AA1333EA15EA7D21E43E0B17FA98EC8B92ED89713F7D3C3F4D32" +
    "13A227E191C7BDCD44FD7D5EB37EADEE88DD971F0F8348F314B8ABDBB0564A5F9D7591892E5D2EF051732543E6A9E890" +
    "656DE62A8B0EA80A23FC2E61B2F5E74A62C6C5DEB5F5E1B3DBE29E977F0B3E1C3303C3D978D86297F78AE77A28FE1EDD" +
    "66F454B47DBECDB617C6AE50DADB1137511FE1068D78A1D276EA68F1E14D52799281E118CF5442FF64039FA30AEEE5E2" +
    "8CE7EDE06EA210EE1CF8F791C0BC815BC60C95AD92264D67E33E20992276D6E099D01BF40368FFDDFF899A0368E102C8" +
    "025FD40560534FE7920056302D50E5AF",
  gov:
    "DB212A78700D4676FFA549C154EC5CC508D4219DE6BA52A522D40871AEA8823E04352F9E9FEC3F1775BBAF88D50ADB69" +
    "A0403A6EBE7AF33BECCEEF3495D8DFE256D3454EB3D3603C45C19A7E945784753FB0E58CABAB586991A7C163D72554E2" +
    "C4A066AAAFEF84B2843D19E0049CCD570E89364809EB90A09C26799F05DB4A0B",
};

/** SHA-256 of each key's SubjectPublicKeyInfo, DER, in hex: by these a certificate is known again. */
export const ec2KeyPins: Readonly<Record<CertificateVariant, string>> = {
  commercial: "0522abd3c9496f96757dda137452fa67043135c383092af18e99d8049823def3",
  "cn-north-1": "c31b05cbeb98310529f0aa0cf087d14430a8342033e31efdba07f467ad0823d6",
  gov: "d55c5f07be82afbb670ee1117df638a1033cb4320647397cfe9d6dcb510cae8c",
};

const variants: readonly CertificateVariant[] = ["commercial", "cn-north-1", "gov"];

/** EC2's public key of a variant, as PEM. */
export function ec2PublicKey(variant: CertificateVariant): string {
  const n = Buffer.from(moduli[variant], "hex").toString("base64url");
  const key = createPublicKey({ key: { kty: "RSA", n, e: "AQAB" }, format: "jwk" });
  return key.export({ type: "spki", format: "pem" }).toString();
}

/**
 * Whose key a PEM certificate or public key holds, or null for none of EC2's. `standIns` take the place of EC2's own
 * keys, as in the emulator. Throws `certificate-unusable` when the text cannot be read.
 */
export function variantOfKey(
  pem: string,
  standIns?: Readonly<Record<CertificateVariant, string>>,
): CertificateVariant | null {
  const pin = pinOf(toPublicKey(pem));
  const expected = (variant: CertificateVariant): string =>
    standIns ? pinOf(toPublicKey(standIns[variant])) : ec2KeyPins[variant];
  return variants.find((variant) => expected(variant) === pin) ?? null;
}

function pinOf(key: KeyObject): string {
  return createHash("sha256")
    .update(key.export({ type: "spki", format: "der" }))
    .digest("hex");
}
