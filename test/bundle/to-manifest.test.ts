import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { toManifestXml } from "../../src/bundle/manifest-xml.ts";
import { readManifest } from "../../src/bundle/read-manifest.ts";
import { checkSignature } from "../../src/bundle/signature.ts";
import { bundler } from "../../src/bundle/to-manifest.ts";
import { unwrapKey } from "../../src/bundle/wrap.ts";
import { type Bundled, bundled, noise } from "./bundled.ts";
import { ec2PrivateKey, golden, userCertificate, userPrivateKey } from "./golden.ts";

const made = (facts: Parameters<typeof bundled>[2] = {}): Promise<Bundled> =>
  bundled([noise(1000)], { sizeBytes: 1000 }, facts);

test("our manifest has the elements, the order and the quoting of Amazon's", async () => {
  const { xml } = await made({
    kernel: "aki-12345678",
    ramdisk: "ari-12345678",
    productCodes: ["AAA,BBB"],
    blockDeviceMappings:
      readManifest(golden("ruby153/opts/renamed.manifest.xml")).machine?.blockDeviceMapping ?? [],
  });
  const shape = (text: string): string => text.replace(/>[^<]+</g, "><");
  expect(shape(xml)).toBe(shape(golden("ruby153/opts/renamed.manifest.xml")));
  expect(toManifestXml(readManifest(xml))).toBe(xml);
});

test("our manifest is signed by the user and opens with the user's key and with EC2's", async () => {
  const { xml, manifest, key } = await made();
  expect(checkSignature(xml, userCertificate)).toBe("exact");
  for (const [wrapped, privateKey] of [
    [manifest.image.owner, userPrivateKey],
    [manifest.image.ec2, ec2PrivateKey],
  ] as const) {
    expect(unwrapKey(wrapped, privateKey).keyHex()).toBe(key.keyHex());
    expect(unwrapKey(wrapped, privateKey).ivHex()).toBe(key.ivHex());
  }
});

test("what has no value is left out", async () => {
  const { xml } = await made();
  expect(xml).not.toMatch(/kernel|ramdisk|mapping|product|ancest/);
  expect(xml).toMatch(/^<\?xml version='1.0'\?><manifest><version>2007-10-10<\/version><bundler>/);
  expect(xml).toMatch(/<\/signature><\/manifest>$/);
});

test("mappings stand in the order of their virtual names, and the account without its dashes", async () => {
  const { manifest } = await made({
    blockDeviceMappings: [
      { virtual: "swap", device: "sda3" },
      { virtual: "ami", device: "sda1" },
      { virtual: "ephemeral0", device: "sdb" },
    ],
  });
  expect(manifest.machine?.blockDeviceMapping.map(({ virtual }) => virtual)).toEqual([
    "ami",
    "ephemeral0",
    "swap",
  ]);
  expect(manifest.image.user).toBe("123456789012");
});

test("an account that has no twelve digits is refused", async () => {
  await expect(made({ account: "12345" })).rejects.toMatchObject({ code: "usage-wrong" });
});

test("the bundler is this program in this version", () => {
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  expect(`${bundler.version}.${bundler.release}`).toBe(version);
});
