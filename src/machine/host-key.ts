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

/** The host key algorithms (RFC 8332 for RSA) with which a server can prove that it holds these keys. */
export function algorithmsOf(keyLines: readonly string[]): string[] {
  const types = new Set(keyLines.map((line) => partsOf(line).type));
  return [...types].flatMap((type) =>
    type === "ssh-rsa" ? ["rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"] : [type],
  );
}

function partsOf(keyLine: string): { type: string; blob: string } {
  const [type = "", blob = ""] = keyLine.trim().split(/\s+/);
  return { type, blob: blob.replace(/=+$/, "") };
}
