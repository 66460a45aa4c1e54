import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { toManifestText } from "../../src/bundle/encrypted-manifest.ts";
import { openBundle } from "../../src/bundle/opened-bundle.ts";
import { decryptPrivateKey } from "../../src/bundle/pem.ts";
import { type UnbundledImage, type UnbundleOptions, unbundle } from "../../src/bundle/unbundle.ts";
import { newUserCertificate } from "../../src/bundle/user-certificate.ts";
import { never } from "./bundled.ts";
import {
  ec2Certificate,
  goldenPath,
  smallImageSha256,
  userCertificate,
  userPrivateKey,
  vectors,
} from "./golden.ts";

const small = "ruby153/small/small.img.manifest.xml";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "imgspec-unbundle-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

test.each(Object.keys(vectors))("%s gives the image, under the bundle's name", async (path) => {
  const { path: image, sizeBytes } = await restore(path, { certificate: userCertificate });
  expect(sizeBytes).toBe(3_145_728);
  expect(await readdir(directory)).toEqual([nameOf(path)]);
  expect(
    createHash("sha256")
      .update(await readFile(image))
      .digest("hex"),
  ).toBe(smallImageSha256);
});

test("a file of that name stays, unless it may be overwritten", async () => {
  await writeFile(join(directory, "small.img"), "mine");
  await expect(restore(small)).rejects.toMatchObject({
    code: "usage-wrong",
    message: `${directory}/small.img exists already`,
  });
  expect(await readFile(join(directory, "small.img"), "utf8")).toBe("mine");
  await restore(small, { force: true });
  expect(await readdir(directory)).toEqual(["small.img"]);
  expect((await readFile(join(directory, "small.img"))).length).toBe(3_145_728);
});

test("a link of that name is replaced and not followed", async () => {
  await writeFile(join(directory, "precious"), "mine");
  await symlink("precious", join(directory, "small.img"));
  await restore(small, { force: true });
  expect(await readFile(join(directory, "precious"), "utf8")).toBe("mine");
});

test("a directory of that name is never replaced", async () => {
  await mkdir(join(directory, "small.img"));
  await expect(restore(small, { force: true })).rejects.toMatchObject({
    code: "file-unreadable",
    message: `cannot write the image ${directory}/small.img: it is a directory`,
  });
  expect(await readdir(directory)).toEqual(["small.img"]);
});

test("a signature of somebody else is refused before anything is written", async () => {
  await expect(restore(small, { certificate: ec2Certificate })).rejects.toMatchObject({
    code: "bundle-invalid",
    message: "the manifest was not signed with the key of this certificate",
  });
  expect(await readdir(directory)).toEqual([]);
});

test("another private key is refused", async () => {
  const { privateKey } = await newUserCertificate();
  await expect(restore(small, { privateKey })).rejects.toMatchObject({
    code: "bundle-invalid",
    message: "this private key does not open the bundle: it was wrapped for another one",
  });
});

test("a manifest from before 2007 is decrypted with its owner's key", async () => {
  const path = goldenPath("formats/small.manifest.enc-v2.bin");
  const { manifest } = await openBundle(path, { privateKey: userPrivateKey });
  expect([manifest.image.name, manifest.image.sizeBytes]).toEqual(["small.img", 3_145_728]);
  await expect(openBundle(path)).rejects.toMatchObject({ code: "bundle-invalid" });
});

test("the first scheme of encrypted manifests, with its one byte of length, is known too", async () => {
  const { generateKeyPairSync, publicEncrypt, createCipheriv, constants } = await import("node:crypto");
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 1024 });
  const secret = Buffer.from([...Array(32).keys()]);
  const block = publicEncrypt({ key: publicKey, padding: constants.RSA_PKCS1_PADDING }, secret);
  const cipher = createCipheriv("aes-128-cbc", secret.subarray(0, 16), secret.subarray(16));
  const xml = "<?xml version='1.0'?><manifest/>";
  const file = Buffer.concat([Buffer.from([1, block.length]), block, cipher.update(xml), cipher.final()]);
  const pem = privateKey.export({ type: "pkcs1", format: "pem" }).toString();
  expect(toManifestText(file, pem)).toBe(xml);
  for (const cut of [1, 2, 50, file.length - 1]) {
    expect(() => toManifestText(file.subarray(0, cut), pem)).toThrow(/does not (open|decrypt)/);
  }
});

test("a file that is far too large is no manifest, and is not read to its end", async () => {
  const path = join(directory, "disk.img");
  await writeFile(path, Buffer.alloc(17 * 1024 * 1024, "<a>"));
  await expect(openBundle(path)).rejects.toMatchObject({
    code: "bundle-invalid",
    message: `${path} is too large to be a manifest`,
  });
});

test("an encrypted private key opens with its passphrase only", async () => {
  const { createPrivateKey } = await import("node:crypto");
  const passphrase = "correct horse";
  const encrypted = createPrivateKey(userPrivateKey)
    .export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase })
    .toString();
  await restore(small, { privateKey: decryptPrivateKey(encrypted, passphrase) });
  expect(() => decryptPrivateKey(encrypted, "battery")).toThrow("does not decrypt with this passphrase");
});

async function restore(path: string, options: Partial<UnbundleOptions> = {}): Promise<UnbundledImage> {
  return unbundle(await openBundle(goldenPath(path)), {
    privateKey: userPrivateKey,
    destination: directory,
    signal: never,
    ...options,
  });
}

function nameOf(path: string): string {
  return path.includes("renamed") ? "renamed" : "small.img";
}
