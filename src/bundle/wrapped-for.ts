import type { WrappedKey } from "./manifest.ts";
import { toPublicKey } from "./pem.ts";

/**
 * Why a bundle's key cannot have been wrapped for this public key or certificate, or null when nothing speaks against
 * it. What is wrapped is padded at random, so without the private key a proof there is only against it: another length
 * than that of the key's modulus, or a number that is not below it.
 */
export function whyNotWrappedFor({ key, iv }: WrappedKey, pem: string): string | null {
  const { n = "" } = toPublicKey(pem).export({ format: "jwk" });
  const modulus = Buffer.from(n, "base64url");
  for (const [name, hex] of [
    ["key", key],
    ["IV", iv],
  ] as const) {
    const block = Buffer.from(hex, "hex");
    if (block.length !== modulus.length)
      return `its ${name} is wrapped for a key of ${block.length * 8} bits, and this one has ${modulus.length * 8}`;
    if (block.compare(modulus) >= 0) return `its ${name} is wrapped for a key with a larger modulus`;
  }
  return null;
}
