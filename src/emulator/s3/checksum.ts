import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";

export const checksumAlgorithms = ["CRC32", "CRC32C", "SHA1", "SHA256"] as const;
export type ChecksumAlgorithm = (typeof checksumAlgorithms)[number];

/** A digest that is fed piece by piece. */
export type Digest = { update(bytes: Uint8Array): void; base64(): string };

/** A digest of one of the algorithms that S3 checks and keeps. */
export function toDigest(algorithm: ChecksumAlgorithm | "MD5"): Digest {
  if (algorithm === "CRC32") return toCrcDigest((bytes, value) => crc32(bytes, value));
  if (algorithm === "CRC32C") return toCrcDigest(crc32c);
  const hash = createHash(algorithm);
  return {
    update: (bytes) => {
      hash.update(bytes);
    },
    base64: () => hash.digest("base64"),
  };
}

/** `x-amz-checksum-crc32c` and its like. */
export function toChecksumHeader(algorithm: ChecksumAlgorithm): string {
  return `x-amz-checksum-${algorithm.toLowerCase()}`;
}

export function isChecksumAlgorithm(text: string): text is ChecksumAlgorithm {
  return checksumAlgorithms.some((algorithm) => algorithm === text);
}

function toCrcDigest(step: (bytes: Uint8Array, value: number) => number): Digest {
  let value = 0;
  return {
    update: (bytes) => {
      value = step(bytes, value);
    },
    base64: () => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(value >>> 0);
      return bytes.toString("base64");
    },
  };
}

/** CRC-32C (Castagnoli), reflected polynomial 0x82F63B78 (RFC 3720, appendix B.4). */
const crc32cTable: readonly number[] = Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value >>> 0;
});

function crc32c(bytes: Uint8Array, previous: number): number {
  let value = ~previous;
  for (const byte of bytes) value = (value >>> 8) ^ (crc32cTable[(value ^ byte) & 0xff] ?? 0);
  return ~value >>> 0;
}
