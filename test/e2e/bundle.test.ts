import { execFile, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readFile, stat, truncate, writeFile } from "node:fs/promises";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { readManifest } from "../../src/bundle/read-manifest.ts";
import { noise } from "../bundle/bundled.ts";
import { smallImageSha256, vectors } from "../bundle/golden.ts";
import { newTool } from "../help/tool.ts";

const mib = 1024 * 1024;
const pair = ["--cert", "cert-user.pem", "--privatekey", "pk-user.pem"];
const user = ["--user", "1234-5678-9012"];
/** Until a compressor is as fast as a disk. */
const quickly = ["--level", "1"];

test.each(Object.keys(vectors))(
  "unbundle restores %s, and verify finds nothing wrong with it",
  async (path) => {
    await using tool = await newTool();
    await tool.copy(path);
    const manifest = path.slice(path.lastIndexOf("/") + 1);
    await mkdir(tool.path("out"));
    const { code, stdout, stderr } = await tool.run([
      "unbundle",
      manifest,
      ...pair,
      "-d",
      "out",
      "-o",
      "json",
      "--quiet",
    ]);
    expect([code, stderr]).toEqual([0, ""]);
    const restored = JSON.parse(stdout) as { path: string; sizeBytes: number };
    expect(sha256(await readFile(restored.path))).toBe(smallImageSha256);
    expect((await stat(restored.path)).blocks * 512).toBeLessThan(200_000);
    const verified = await tool.run(["verify", "-m", manifest, ...pair]);
    expect(verified.stdout.trim().split("\n").at(-1)).toBe(`${manifest} is good`);
  },
);

/** A bare machine may lack them; .ci/run installs them. */
const missing = ["openssl", "gunzip", "tar", "sed", "basenc"].filter(
  (name) => spawnSync(name).error !== undefined,
);

const restorable = [
  ["bundle made", []],
  ["bundle --no-sparse made", ["--no-sparse"]],
] as const;

test.skipIf(missing.length > 0).each(restorable)(
  "openssl, gunzip and tar restore what %s (where they are)",
  async (_what, options) => {
    await using tool = await newTool();
    const image = Buffer.concat([
      noise(8_000_000),
      Buffer.alloc(9_000_000),
      noise(7_000_000),
      Buffer.alloc(1),
    ]);
    await writeFile(tool.path("web.img"), image);
    const line = [
      "bundle",
      "web.img",
      "--sha256",
      ...user,
      ...pair,
      "--prefix",
      "web",
      ...quickly,
      ...options,
    ];
    const { code, stdout } = await tool.run([...line, "--output", "json"]);
    expect([code, JSON.parse(stdout)]).toEqual([0, expect.objectContaining({ imageSha256: sha256(image) })]);
    expect(await tool.files()).toEqual(["web.img", "web.manifest.xml", "web.part.0", "web.part.1"]);
    await promisify(execFile)("sh", ["-euc", restore], { cwd: tool.folder });
    expect((await readFile(tool.path("out/web"))).equals(image)).toBe(true);
  },
);

/** As by hand, from a manifest and a private key. */
const restore = `
  field() { sed "s,.*<$1[^>]*>\\([0-9a-f]*\\)</$1>.*,\\1," web.manifest.xml; }
  open() { field "$1" | tr a-f A-F | basenc --base16 -d | openssl pkeyutl -decrypt -inkey pk-user.pem -pkeyopt rsa_padding_mode:pkcs1; }
  mkdir out
  cat web.part.0 web.part.1 |
    openssl enc -d -aes-128-cbc -K "$(open user_encrypted_key)" -iv "$(open user_encrypted_iv)" |
    gunzip | tee web.tar | tar -x -S -C out
  test "$(openssl sha1 -r < web.tar | cut -c 1-40)" = "$(sed 's,</digest>.*,,; s,.*>,,' web.manifest.xml)"
`;

test("bundle says what it made as JSON, and the manifest says what was asked for", async () => {
  await using tool = await newTool();
  const image = noise(2_000_000);
  await writeFile(tool.path("web.img"), image);
  const options = [
    "-r",
    "i386",
    "--kernel",
    "aki-1",
    "--ramdisk",
    "ari-2",
    "-B",
    "ami=sda1",
    "-B",
    "root=/dev/sda1",
  ];
  const codes = ["--productcodes", "A,B", "--region", "us-gov-west-1"];
  const { code, stdout } = await tool.run([
    "bundle",
    "-i",
    "web.img",
    ...user,
    ...pair,
    ...options,
    ...codes,
    "--sha256",
    "-ojson",
  ]);
  expect(code).toBe(0);
  const { machine, image: bundled } = readManifest(await readFile(tool.path("web.img.manifest.xml"), "utf8"));
  expect(JSON.parse(stdout)).toEqual({
    manifest: "web.img.manifest.xml",
    name: "web.img",
    parts: [{ path: "web.img.part.0", sha1: bundled.parts[0]?.sha1 }],
    sizeBytes: 2_000_000,
    bundledSizeBytes: (await stat(tool.path("web.img.part.0"))).size,
    digest: bundled.digest,
    imageSha256: sha256(image),
    ec2Key: "gov",
  });
  expect(machine).toEqual({
    architecture: "i386",
    kernel: "aki-1",
    ramdisk: "ari-2",
    blockDeviceMapping: [
      { virtual: "ami", device: "sda1" },
      { virtual: "root", device: "/dev/sda1" },
    ],
    productCodes: ["A", "B"],
  });
  expect(bundled.user).toBe("123456789012");
});

test("an image comes from stdin when its size and a name are given", async () => {
  await using tool = await newTool();
  const image = noise(12 * mib);
  const line = ["bundle", "-", ...user, ...pair, ...quickly];
  expect((await tool.run(line)).code).toBe(2);
  expect((await tool.run([...line, "--size", "12MiB"])).code).toBe(2);
  const named = [...line, "--size", "12MiB", "--prefix", "piped", "--quiet"];
  expect(await tool.run(named, { input: [image.subarray(0, 5), image.subarray(5)] })).toEqual({
    code: 0,
    stdout: "",
    stderr: "",
  });
  await tool.run(["unbundle", "piped.manifest.xml", "-k", "pk-ec2-fake.pem"]);
  await tool.run(["unbundle", "piped.manifest.xml", "-k", "pk-user.pem"]);
  expect((await readFile(tool.path("piped"))).equals(image)).toBe(true);
});

test("without a pair the user is told that only EC2 will open the bundle", async () => {
  await using tool = await newTool();
  await writeFile(tool.path("web.img"), noise(1000));
  const { code, stderr } = await tool.run(["bundle", "web.img", ...user, "--ec2cert", "cert-ec2-fake.pem"]);
  expect(code).toBe(0);
  expect(stderr).toContain("the bundle is made with a fresh key pair, forgotten afterwards: only EC2");
  expect(stderr).toContain("the key in cert-ec2-fake.pem is none that EC2 is known to have");
  expect((await tool.run(["unbundle", "web.img.manifest.xml", "-k", "pk-user.pem", "--force"])).code).toBe(6);
  const line = ["unbundle", "web.img.manifest.xml", "-k", "pk-ec2-fake.pem", "--force"];
  expect((await tool.run(line)).code).toBe(0);
  expect((await readFile(tool.path("web.img"))).equals(noise(1000))).toBe(true);
});

test("more than 10 GiB are refused before they are read, but not with --no-size-checks", async () => {
  await using tool = await newTool();
  await writeFile(tool.path("big.img"), "");
  await truncate(tool.path("big.img"), 10 * 1024 * mib + 1);
  const refused = await tool.run(["bundle", "big.img", ...user, ...pair]);
  expect([refused.code, await tool.files()]).toEqual([6, ["big.img"]]);
  expect(refused.stderr).toContain("EC2 takes at most 10 GiB");
  // Goes on to reading, and finds that stdin does not have so many.
  const line = ["bundle", "-", "--size", "11GiB", "--prefix", "big", ...user, ...pair, "--no-size-checks"];
  const { code, stderr } = await tool.run(line, { input: [noise(mib)] });
  expect([code, await tool.files()]).toEqual([6, ["big.img"]]);
  expect(stderr).toContain("the image ends after 1048576 bytes of the 11811160064 announced");
});

test("an image is never replaced by its own bundle", async () => {
  await using tool = await newTool();
  await writeFile(tool.path("web.part.3"), noise(1000));
  const { code, stderr } = await tool.run(["bundle", "web.part.3", "-p", "web", "-d", ".", ...user, ...pair]);
  expect([code, await tool.files()]).toEqual([2, ["web.part.3"]]);
  expect(stderr).toContain("web.part.3 would be replaced by the bundle itself");
});

test("inspect reads manifests of every age and spelling", async () => {
  await using tool = await newTool();
  await tool.copy("formats/v3.manifest.xml");
  const old = await tool.run(["inspect", "v3.manifest.xml"]);
  expect([old.code, old.stdout]).toEqual([0, expect.stringMatching(/^architecture {2}i386$/m)]);
  const encrypted = await tool.run(["inspect", "small.manifest.enc-v2.bin", "-k", "pk-user.pem", "--parts"]);
  expect(encrypted.stdout).toMatch(/^part +[0-9a-f]{40} {2}small\.img\.part\.0$/m);
  expect((await tool.run(["inspect", "small.manifest.enc-v2.bin"])).code).toBe(6);
});

test("help of every command around bundles names its options and an example", async () => {
  await using tool = await newTool();
  for (const command of ["bundle", "unbundle", "verify", "inspect"]) {
    const { code, stdout } = await tool.run([command, "--help"]);
    expect([code, stdout]).toEqual([0, expect.stringContaining(`  imgspec ${command} web`)]);
  }
});

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
