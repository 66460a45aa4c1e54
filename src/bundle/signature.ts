import { type KeyObject, sign, verify } from "node:crypto";
import type { Manifest } from "./manifest.ts";
import { toManifestXml } from "./manifest-xml.ts";
import { toPrivateKey, toPublicKey } from "./pem.ts";
import { readManifest } from "./read-manifest.ts";

/** The manifest as Amazon writes it, with the signature of this RSA key in place of any that it had. */
export function toSignedManifestXml(manifest: Manifest, privateKeyPem: string): string {
  const bytes = toSignedBytes(toManifestXml({ ...manifest, signature: null }));
  const signature = sign("sha1", bytes, toPrivateKey(privateKeyPem)).toString("hex");
  return toManifestXml({ ...manifest, signature });
}

/**
 * How the signature fits: `exact` over the text as it stands; `reformatted` over the same manifest in Amazon's
 * spelling (the guide tells users to reformat manifests, and EC2 takes them); `none`.
 */
export type SignatureFit = "exact" | "reformatted" | "none";

/** Holds the manifest's signature against a PEM certificate or public key of its supposed signer. */
export function checkSignature(text: string, certificatePem: string): SignatureFit {
  const key = toPublicKey(certificatePem);
  const manifest = readManifest(text);
  if (manifest.signature === null) return "none";
  if (fits(text, manifest.signature, key)) return "exact";
  return fits(toManifestXml(manifest), manifest.signature, key) ? "reformatted" : "none";
}

function fits(text: string, signature: string, key: KeyObject): boolean {
  return verify("sha1", toSignedBytes(text), key, Buffer.from(signature, "hex"));
}

/**
 * What is signed: the literal bytes of the machine configuration, if there is one, and of the image, without what
 * stands between and around them.
 */
export function toSignedBytes(text: string): Uint8Array {
  return Buffer.from(slice(text, "machine_configuration") + slice(text, "image"), "utf8");
}

function slice(text: string, name: string): string {
  const start = text.indexOf(`<${name}>`);
  const close = `</${name}>`;
  const end = text.indexOf(close, start);
  return start === -1 || end === -1 ? "" : text.slice(start, end + close.length);
}
