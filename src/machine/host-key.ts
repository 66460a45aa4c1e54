import type { ServerHostKeyAlgorithm } from "ssh2";

/** Those of ssh2, best first; RFC 8332 gives RSA keys three of them. */
const algorithms: readonly ServerHostKeyAlgorithm[] = [
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "rsa-sha2-512",
  "rsa-sha2-256",
  "ssh-rsa",
];

/** The public key line (`ssh-ed25519 AAAA…`) of a key as it is sent over the wire (RFC 4253, 6.6). */
export function toKeyLine(blob: Uint8Array): string {
  const bytes = Buffer.from(blob);
  const type = bytes.subarray(4, 4 + bytes.readUInt32BE(0)).toString("latin1");
  return `${type} ${bytes.toString("base64")}`;
}

/** Whether two public key lines hold the same key; comments do not count. */
export function isSameKey(one: string, other: string): boolean {
  const [a, b] = [partsOf(one), partsOf(other)];
  return a.type === b.type && a.blob === b.blob;
}

/**
 * What to ask a server for that should have one of these host keys: their kinds first, since it shows the kind that
 * is asked for first; then the others, so that a wrong key is seen as that, and not as a failed negotiation.
 */
export function algorithmsFor(keyLines: readonly string[]): ServerHostKeyAlgorithm[] {
  const types = new Set(keyLines.map((line) => partsOf(line).type));
  const isExpected = (algorithm: ServerHostKeyAlgorithm): boolean =>
    types.has(algorithm.startsWith("rsa-") ? "ssh-rsa" : algorithm);
  return [...algorithms.filter(isExpected), ...algorithms.filter((algorithm) => !isExpected(algorithm))];
}

function partsOf(keyLine: string): { type: string; blob: string } {
  const [type = "", blob = ""] = keyLine.trim().split(/\s+/);
  return { type, blob: blob.replace(/=+$/, "") };
}
