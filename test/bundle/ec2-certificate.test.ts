import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { toEc2Certificate } from "../../src/bundle/ec2-certificate.ts";
import { ec2PublicKey, variantOfKey } from "../../src/bundle/ec2-keys.ts";
import { newBundleKey } from "../../src/bundle/key.ts";
import { wrapKey } from "../../src/bundle/wrap.ts";
import { whyNotWrappedFor } from "../../src/bundle/wrapped-for.ts";
import { ec2Certificate } from "./golden.ts";

test.each(["commercial", "cn-north-1", "gov"] as const)(
  "OpenSSL reads EC2's %s key from the certificate around it",
  async (variant) => {
    const pem = await toEc2Certificate(ec2PublicKey(variant));
    const directory = await mkdtemp(join(tmpdir(), "imgspec-certificate-"));
    try {
      await writeFile(join(directory, "cert.pem"), pem);
      const key = execFileSync("openssl", ["x509", "-in", "cert.pem", "-noout", "-pubkey"], {
        cwd: directory,
        encoding: "utf8",
      });
      expect(key).toBe(ec2PublicKey(variant));
    } finally {
      await rm(directory, { recursive: true });
    }
    expect(variantOfKey(pem)).toBe(variant);
  },
);

test("what is a certificate already stays as it is", async () => {
  expect(await toEc2Certificate(ec2Certificate)).toBe(ec2Certificate);
});

test("a key that was wrapped for another one is found out by its length, or by being too large a number", () => {
  const [commercial, china, gov] = [
    ec2PublicKey("commercial"),
    ec2PublicKey("cn-north-1"),
    ec2PublicKey("gov"),
  ];
  const key = newBundleKey();
  for (const pem of [commercial, china, gov]) expect(whyNotWrappedFor(wrapKey(key, pem), pem)).toBe(null);
  expect(whyNotWrappedFor(wrapKey(key, commercial), china)).toBe(
    "its key is wrapped for a key of 1024 bits, and this one has 2048",
  );
  // Of the two keys of 1024 bits gov's modulus is larger by a sixth, so some of what is wrapped for it is too large.
  const seen = Array.from({ length: 200 }, () => whyNotWrappedFor(wrapKey(key, gov), commercial));
  expect(seen).toContain("its key is wrapped for a key with a larger modulus");
});
