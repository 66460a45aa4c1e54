import { createDecipheriv } from "node:crypto";
import { Problem } from "../problem.ts";
import { unwrapBytes } from "./wrap.ts";

/**
 * The XML of a manifest file. Before version 3 the whole manifest was encrypted: `02`, the length of an RSA block in
 * two bytes (`01`: in one), the block with AES key and IV, then AES-128-CBC. Throws `bundle-invalid` when it cannot be
 * opened.
 */
export function toManifestText(bytes: Uint8Array, privateKey?: string): string {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const scheme = file[0];
  if (scheme !== 1 && scheme !== 2) return file.toString("utf8");
  if (privateKey === undefined) {
    throw new Problem("bundle-invalid", "the manifest is encrypted, as manifests before 2007 were", {
      hint: "give the private key of its owner: --privatekey PATH",
    });
  }
  const start = scheme === 1 ? 2 : 3;
  const end = start + (file.length < start ? 0 : file.readUIntBE(1, start - 1));
  const secret = unwrapBytes(file.subarray(start, end), privateKey);
  if (secret.length !== 32) throw unreadable();
  return decrypt(file.subarray(end), secret.subarray(0, 16), secret.subarray(16));
}

function decrypt(bytes: Uint8Array, key: Uint8Array, iv: Uint8Array): string {
  const decipher = createDecipheriv("aes-128-cbc", key, iv);
  try {
    return Buffer.concat([decipher.update(bytes), decipher.final()]).toString("utf8");
  } catch (cause) {
    throw unreadable(cause);
  }
}

function unreadable(cause?: unknown): Problem {
  return new Problem("bundle-invalid", "the encrypted manifest does not decrypt with this private key", {
    cause,
  });
}
