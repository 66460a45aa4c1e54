import { constants, type KeyObject, privateDecrypt, publicEncrypt } from "node:crypto";
import { Problem } from "../problem.ts";
import { BundleKey, isKeyText } from "./key.ts";
import type { WrappedKey } from "./manifest.ts";
import { toPrivateKey, toPublicKey } from "./pem.ts";

/**
 * Wraps a bundle's key for whoever holds the private half of this PEM certificate or public key: RSA PKCS#1 v1.5 over
 * the ASCII hex digits, not over the raw bytes.
 */
export function wrapKey(key: BundleKey, certificatePem: string): WrappedKey {
  const publicKey = toPublicKey(certificatePem);
  return { key: wrapText(key.keyHex(), publicKey), iv: wrapText(key.ivHex(), publicKey) };
}

/** Gets a bundle's key back. A key that does not fit is the Problem `bundle-invalid`. */
export function unwrapKey(wrapped: WrappedKey, privateKeyPem: string): BundleKey {
  const privateKey = toPrivateKey(privateKeyPem);
  return new BundleKey(unwrapText(wrapped.key, privateKey), unwrapText(wrapped.iv, privateKey));
}

/** The bytes in an RSA PKCS#1 v1.5 block. A key that does not fit is the Problem `bundle-invalid`. */
export function unwrapBytes(block: Buffer, privateKeyPem: string): Buffer {
  return unwrap(block, toPrivateKey(privateKeyPem));
}

function wrapText(text: string, key: KeyObject): string {
  return publicEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, Buffer.from(text, "ascii")).toString(
    "hex",
  );
}

function unwrapText(hex: string, key: KeyObject): string {
  const text = unwrap(Buffer.from(hex, "hex"), key).toString("latin1");
  if (!isKeyText(text)) throw wrongKey("it was wrapped for another one");
  return text;
}

function unwrap(block: Buffer, key: KeyObject): Buffer {
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (block.length * 8 !== bits) {
    throw wrongKey(
      block.length === 0
        ? "the manifest holds no key for it"
        : `the manifest's key was wrapped for a key of ${block.length * 8} bits, this one has ${bits}`,
    );
  }
  const bytes = unpad(decryptBlock(block, key));
  if (bytes === undefined) throw wrongKey("it was wrapped for another one");
  return bytes;
}

/** Node 20 refuses PKCS#1 v1.5 decryption, and newer OpenSSL answers a wrong key with noise: so unpadding is ours. */
function decryptBlock(block: Buffer, key: KeyObject): Buffer {
  try {
    return privateDecrypt({ key, padding: constants.RSA_NO_PADDING }, block);
  } catch (cause) {
    // A number that is not below the modulus.
    throw wrongKey("it was wrapped for another one", cause);
  }
}

/** 00 02, at least eight bytes that are not zero, 00, and what was wrapped. */
function unpad(block: Buffer): Buffer | undefined {
  const end = block.indexOf(0, 2);
  return block[0] === 0 && block[1] === 2 && end >= 10 ? block.subarray(end + 1) : undefined;
}

function wrongKey(why: string, cause?: unknown): Problem {
  return new Problem("bundle-invalid", `this private key does not open the bundle: ${why}`, { cause });
}
