import type { BundleKey } from "./key.ts";
import type { BundledImage } from "./manifest.ts";
import { toPrivateKey } from "./pem.ts";
import { unwrapKey } from "./wrap.ts";

/**
 * The key of a bundle, by the private key of whoever made it; or by EC2's own, which those who run a cloud have.
 * Throws `bundle-invalid` when it is neither's.
 */
export function openKey({ owner, ec2 }: BundledImage, privateKey: string): BundleKey {
  // First of all: what is no key at all is said so, and not that it does not fit.
  toPrivateKey(privateKey);
  try {
    return unwrapKey(owner, privateKey);
  } catch (error) {
    try {
      return unwrapKey(ec2, privateKey);
    } catch {
      throw error;
    }
  }
}
