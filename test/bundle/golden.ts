import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Absolute path of something under golden/: bundles made by Amazon's tools 1.5.3 and by euca2ools 3.4.1. */
export function goldenPath(path: string): string {
  return fileURLToPath(new URL(`./golden/${path}`, import.meta.url));
}

export function golden(path: string): string {
  return readFileSync(goldenPath(path), "utf8");
}

/** SHA-256 of the image of 3 MiB that is in each of the golden bundles. */
export const smallImageSha256 = "a4d9fe4fc609254ba90f1e396341385c84710c260e509cd66902ac4c2b952898";

/** What openssl, gzip and tar find in each golden bundle. */
export type Vector = {
  readonly aes_key_hex: string;
  readonly aes_iv_hex: string;
  readonly image_digest_sha1_of_tar: string;
  readonly size: number;
  readonly bundled_size: number;
  readonly parts: readonly { readonly filename: string; readonly sha1: string; readonly size: number }[];
};

/** Each golden bundle whose parts are kept, under the path of its manifest. */
export const vectors: Readonly<Record<string, Vector>> = JSON.parse(golden("vectors.json"));

export const userCertificate: string = golden("keys/cert-user.pem");
export const userPrivateKey: string = golden("keys/pk-user.pem");
export const ec2Certificate: string = golden("keys/cert-ec2-fake.pem");
export const ec2PrivateKey: string = golden("keys/pk-ec2-fake.pem");
