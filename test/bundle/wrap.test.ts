import { inspect } from "node:util";
import { expect, test } from "vitest";
import { ec2PublicKey } from "../../src/bundle/ec2-keys.ts";
import { BundleKey, newBundleKey } from "../../src/bundle/key.ts";
import { readManifest } from "../../src/bundle/read-manifest.ts";
import { unwrapKey, wrapKey } from "../../src/bundle/wrap.ts";
import { ec2PrivateKey, golden, userCertificate, userPrivateKey } from "./golden.ts";

test("a wrapped key comes back with the right private key", () => {
  const key = newBundleKey();
  const back = unwrapKey(wrapKey(key, userCertificate), userPrivateKey);
  expect([back.keyHex(), back.ivHex()]).toEqual([key.keyHex(), key.ivHex()]);
});

test("a key wrapped for EC2 fills a block of EC2's key: 128 bytes, in China 256", () => {
  const key = newBundleKey();
  const lengths = (["commercial", "gov", "cn-north-1"] as const).map(
    (variant) => wrapKey(key, ec2PublicKey(variant)).key.length,
  );
  expect(lengths).toEqual([256, 256, 512]);
});

test("another private key does not open the bundle", () => {
  const { image } = readManifest(golden("ruby153/small/small.img.manifest.xml"));
  expect(() => unwrapKey(image.owner, ec2PrivateKey)).toThrow(
    "this private key does not open the bundle: it was wrapped for another one",
  );
  expect(() => unwrapKey(wrapKey(newBundleKey(), ec2PublicKey("gov")), userPrivateKey)).toThrow(
    "was wrapped for a key of 1024 bits, this one has 2048",
  );
  expect(() => unwrapKey({ key: "", iv: "" }, userPrivateKey)).toThrow("the manifest holds no key for it");
  expect(() => unwrapKey({ key: "ff".repeat(256), iv: "" }, userPrivateKey)).toThrow(
    "wrapped for another one",
  );
});

test("a changed block is refused, never turned into a wrong key", () => {
  const wrapped = wrapKey(newBundleKey(), userCertificate);
  const changed = wrapped.key.replace(/^../, (byte) => (byte === "00" ? "01" : "00"));
  expect(() => unwrapKey({ ...wrapped, key: changed }, userPrivateKey)).toThrow("wrapped for another one");
});

test("a key does not show in JSON, in a log or in a copy", () => {
  const key = new BundleKey("0123456789abcdef".repeat(2), "fedcba9876543210".repeat(2));
  expect(
    JSON.stringify({ key }) + inspect(key, { depth: 9, showHidden: true }) + JSON.stringify({ ...key }),
  ).not.toMatch(/0123456789|fedcba98/);
});

test("a key of another form is refused", () => {
  expect(() => new BundleKey("ABCDEF0123456789".repeat(2), "0".repeat(32))).toThrow(TypeError);
  expect(() => new BundleKey("0".repeat(31), "0".repeat(32))).toThrow(TypeError);
});
