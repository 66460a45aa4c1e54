import { createHash } from "node:crypto";
import { chmod, writeFile } from "node:fs/promises";
import ssh2 from "ssh2";

/** An ed25519 key pair: the private key in OpenSSH's format, the public one as a line. */
export function newKeyPair(comment: string): { readonly private: string; readonly public: string } {
  const pair = ssh2.utils.generateKeyPairSync("ed25519", { comment });
  // Of ssh2's private keys one in two hundred is malformed.
  if (ssh2.utils.parseKey(pair.private) instanceof Error) return newKeyPair(comment);
  return { private: pair.private, public: pair.public.trim() };
}

/**
 * Makes an ed25519 key pair. The private key goes to the path, which must not exist yet, in OpenSSH's format and
 * with mode 0600; the public key is returned as a line.
 */
export async function makeKeyPair(path: string, comment: string): Promise<string> {
  const pair = newKeyPair(comment);
  await writeFile(path, pair.private, { mode: 0o600, flag: "wx" });
  // The umask may have taken away the owner's own bits, never added others'.
  await chmod(path, 0o600);
  return pair.public;
}

/** As OpenSSH prints it: `SHA256:` and unpadded base64. Takes a public key line, with or without a comment. */
export function fingerprintOf(keyLine: string): string {
  const [, blob = ""] = keyLine.trim().split(/\s+/);
  const digest = createHash("sha256").update(Buffer.from(blob, "base64")).digest("base64");
  return `SHA256:${digest.replace(/=+$/, "")}`;
}
