import { createCipheriv, createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { newBundleKey } from "../../src/bundle/key.ts";
import { tarTailBytes, toTarHeader } from "../../src/bundle/tar-header.ts";
import { toManifest } from "../../src/bundle/to-manifest.ts";
import { ec2Certificate, userCertificate, userPrivateKey } from "../bundle/golden.ts";

/** Bundles this tar stream, whatever it holds, into a folder; everything else of the bundle is right. */
export async function craft(folder: string, name: string, tar: Buffer, sizeBytes: number): Promise<string> {
  const key = newBundleKey();
  const cipher = createCipheriv("aes-128-cbc", key.keyBytes(), key.ivBytes());
  const part = Buffer.concat([cipher.update(gzipSync(tar)), cipher.final()]);
  const packed = {
    digest: sha1(tar),
    sizeBytes,
    bundledSizeBytes: part.length,
    parts: [{ index: 0, sizeBytes: part.length, sha1: sha1(part) }],
    imageSha256: null,
  };
  const text = toManifest(packed, {
    name,
    account: "123456789012",
    architecture: "x86_64",
    kernel: null,
    ramdisk: null,
    blockDeviceMappings: [],
    key,
    ec2Key: ec2Certificate,
    userCertificate,
    userPrivateKey,
  });
  await writeFile(join(folder, `${name}.part.0`), part);
  await writeFile(join(folder, `${name}.manifest.xml`), text);
  return text;
}

/** A tar stream of these members; a type is that of tar, `2` for a link. */
export function tarOf(
  ...members: readonly (readonly [name: string, bytes: Buffer, type?: string])[]
): Buffer {
  const blocks = members.flatMap(([name, bytes, type = "0"]) => [
    headerOf(name, bytes.length, type),
    bytes,
    Buffer.alloc(-bytes.length & 511),
  ]);
  const all = Buffer.concat(blocks);
  return Buffer.concat([all, Buffer.alloc(tarTailBytes(all.length - 512))]);
}

function headerOf(name: string, sizeBytes: number, type: string): Buffer {
  const header = Buffer.from(toTarHeader(name, sizeBytes, new Date(0)));
  header.write(type, 156);
  header.fill(0x20, 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return header;
}

function sha1(bytes: Uint8Array): string {
  return createHash("sha1").update(bytes).digest("hex");
}
