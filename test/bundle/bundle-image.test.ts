import { createHash } from "node:crypto";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type BundleOptions, bundleImage, type MadeBundle } from "../../src/bundle/bundle-image.ts";
import { directorySink } from "../../src/bundle/directory-sink.ts";
import { type ImageSource, streamImage } from "../../src/bundle/image-source.ts";
import { openBundle } from "../../src/bundle/opened-bundle.ts";
import { unbundle } from "../../src/bundle/unbundle.ts";
import { never, noise, toAsync } from "./bundled.ts";
import { ec2Certificate, ec2PrivateKey, userCertificate, userPrivateKey } from "./golden.ts";

const mib = 1024 * 1024;

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "imgspec-bundle-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

test("what is bundled is unbundled, by its maker's key and by EC2's", async () => {
  const image = noise(3_000_001);
  const made = await bundle(imageOf(image));
  expect(await readdir(directory)).toEqual(["web.manifest.xml", "web.part.0"]);
  expect(await readFile(join(directory, "web.manifest.xml"), "utf8")).toBe(made.text);
  expect(made.imageSha256).toBe(createHash("sha256").update(image).digest("hex"));
  for (const privateKey of [userPrivateKey, ec2PrivateKey]) {
    const opened = await openBundle(join(directory, "web.manifest.xml"));
    const { path } = await unbundle(opened, {
      privateKey,
      destination: directory,
      force: true,
      signal: never,
    });
    expect((await readFile(path)).equals(image)).toBe(true);
  }
});

test("a manifest says all that was asked of it", async () => {
  const { manifest } = await bundle(imageOf(noise(1000)), {
    architecture: "i386",
    kernel: "aki-1",
    ramdisk: "ari-2",
    blockDeviceMappings: [
      { virtual: "root", device: "/dev/sda1" },
      { virtual: "ami", device: "sda1" },
    ],
    productCodes: ["A", "B"],
  });
  expect(manifest.machine).toEqual({
    architecture: "i386",
    kernel: "aki-1",
    ramdisk: "ari-2",
    blockDeviceMapping: [
      { virtual: "ami", device: "sda1" },
      { virtual: "root", device: "/dev/sda1" },
    ],
    productCodes: ["A", "B"],
  });
});

test("nothing is left of an older bundle of the same name, and another's files stay", async () => {
  const older = [...Array(12).keys()].map((index) => `web.part.${String(index).padStart(2, "0")}`);
  for (const name of ["web.manifest.xml", ...older]) await writeFile(join(directory, name), "old");
  for (const name of ["web.part.7.bak", "webs.part.0", "web.parts"])
    await writeFile(join(directory, name), "");
  await bundle(imageOf(noise(11 * mib)));
  expect((await readdir(directory)).sort()).toEqual([
    "web.manifest.xml",
    "web.part.0",
    "web.part.1",
    "web.part.7.bak",
    "web.parts",
    "webs.part.0",
  ]);
});

test("an image that breaks off leaves an older bundle as it was, and no file of its own", async () => {
  const { text } = await bundle(imageOf(noise(1000)));
  const short = { ...imageOf(noise(20 * mib)), sizeBytes: 21 * mib };
  await expect(bundle(short)).rejects.toMatchObject({ code: "bundle-invalid" });
  expect(await readdir(directory)).toEqual(["web.manifest.xml", "web.part.0"]);
  expect(await readFile(join(directory, "web.manifest.xml"), "utf8")).toBe(text);
});

test("a bundle that cannot take its place leaves no half of it", async () => {
  await mkdir(join(directory, "web.manifest.xml"));
  await expect(bundle(imageOf(noise(11 * mib)))).rejects.toMatchObject({ code: "file-unreadable" });
  expect(await readdir(directory)).toEqual(["web.manifest.xml"]);
});

test("bundling ends at once when it is aborted, and leaves no file", async () => {
  const controller = new AbortController();
  const reason = new Error("interrupted");
  async function* endless(): AsyncGenerator<Uint8Array> {
    yield noise(25 * mib);
    setImmediate(() => controller.abort(reason));
    await new Promise(() => undefined);
  }
  const bundling = bundle(streamImage(endless(), 100 * mib), { signal: controller.signal });
  await expect(bundling).rejects.toBe(reason);
  expect(await readdir(directory)).toEqual([]);
});

test("an empty image is refused", async () => {
  await expect(bundle(imageOf(noise(0)))).rejects.toMatchObject({
    code: "bundle-invalid",
    message: "the image is empty",
  });
});

test("an image of more than 10 GiB is refused before it is read, unless any size will do", async () => {
  const large = streamImage(toAsync([]), 10 * 1024 * mib + 1);
  await expect(bundle(large)).rejects.toMatchObject({
    message: "the image has 10737418241 bytes; EC2 takes at most 10 GiB (10737418240)",
  });
  await expect(bundle(large, { anySize: true })).rejects.toMatchObject({
    message: "the image ends after 0 bytes of the 10737418241 announced",
  });
});

test("a directory that is not there is said so", async () => {
  await expect(directorySink(join(directory, "none"), "web")).rejects.toMatchObject({
    code: "file-unreadable",
    message: `cannot write the bundle to ${directory}/none: there is no such file or directory`,
  });
});

test.skipIf(process.getuid?.() === 0)(
  "a directory that may not be written is said so (not to root)",
  async () => {
    await chmod(directory, 0o555);
    await expect(directorySink(directory, "web")).rejects.toMatchObject({
      code: "file-unreadable",
      message: `cannot write the bundle to ${directory}: permission denied`,
    });
  },
);

function imageOf(bytes: Buffer): ImageSource {
  return streamImage(toAsync([bytes]), bytes.length);
}

async function bundle(image: ImageSource, options: Partial<BundleOptions> = {}): Promise<MadeBundle> {
  await using sink = await directorySink(directory, "web");
  return await bundleImage(image, sink, {
    name: "web",
    account: "123456789012",
    architecture: "x86_64",
    ec2Key: ec2Certificate,
    user: { certificate: userCertificate, privateKey: userPrivateKey },
    level: 1,
    imageDigest: true,
    signal: never,
    ...options,
  });
}
