import { expect, test } from "vitest";
import { type MigrateOptions, migrateManifest } from "../../src/bundle/migrate-manifest.ts";
import { readManifest } from "../../src/bundle/read-manifest.ts";
import { checkSignature } from "../../src/bundle/signature.ts";
import { newUserCertificate } from "../../src/bundle/user-certificate.ts";
import { unwrapKey } from "../../src/bundle/wrap.ts";
import { golden, userCertificate, userPrivateKey } from "./golden.ts";

const ec2 = await newUserCertificate({ commonName: "the EC2 of another region" });
const options: MigrateOptions = { privateKey: userPrivateKey, ec2Key: ec2.certificate };

test.each([
  "migrate/before.xml",
  "migrate/after.xml",
  "migrate/euca.xml",
  "migrate/xmllint.xml",
  "migrate/v3-upgraded.xml",
  "formats/v3.manifest.xml",
  "formats/v2007-08-29.manifest.xml",
  "euca/small/small.img.manifest.xml",
  "ruby153/opts/renamed.manifest.xml",
])("%s gets the other EC2's key and a new signature, and else stays as it was", (path) => {
  const text = golden(path);
  const before = readManifest(text);
  const migrated = migrateManifest(text, { ...options, kernel: "keep", ramdisk: "keep" });
  const after = readManifest(migrated);
  expect(checkSignature(migrated, userCertificate)).toBe("exact");
  const key = unwrapKey(before.image.owner, userPrivateKey);
  const opened = unwrapKey(after.image.ec2, ec2.privateKey);
  expect([opened.keyHex(), opened.ivHex()]).toEqual([key.keyHex(), key.ivHex()]);
  expect(after).toEqual({
    ...before,
    version: "2007-10-10",
    machine: before.machine ?? {
      architecture: "i386",
      blockDeviceMapping: [],
      kernel: null,
      ramdisk: null,
      productCodes: [],
    },
    image: { ...before.image, type: "machine", ec2: after.image.ec2 },
    signature: after.signature,
  });
});

test("a kernel and a ramdisk are kept, dropped or named, and never without a word", () => {
  const text = golden("migrate/before.xml");
  const { kernel, ramdisk } = readManifest(text).machine ?? {};
  expect([kernel, ramdisk]).toEqual([expect.stringMatching(/^aki-/), expect.stringMatching(/^ari-/)]);
  expect(() => migrateManifest(text, { ...options, ramdisk: "drop" })).toThrow(`the kernel ${kernel}`);
  expect(() => migrateManifest(text, { ...options, kernel: "drop" })).toThrow(`the ramdisk ${ramdisk}`);
  const named = migrateManifest(text, { ...options, kernel: { id: "aki-87654321" }, ramdisk: "drop" });
  expect(readManifest(named).machine).toMatchObject({ kernel: "aki-87654321", ramdisk: null });
});

test("another account may come to own it", () => {
  const migrated = migrateManifest(golden("migrate/euca.xml"), { ...options, account: "210987654321" });
  expect(readManifest(migrated).image.user).toBe("210987654321");
});

test("a manifest that was changed is signed again only when told", () => {
  const text = golden("migrate/euca.xml").replace("x86_64", "i386");
  expect(() => migrateManifest(text, options)).toThrow("not signed with this private key, or was changed");
  const resigned = migrateManifest(text, { ...options, anySignature: true });
  expect(checkSignature(resigned, userCertificate)).toBe("exact");
});

test("only the key that the bundle was made with can migrate it", async () => {
  const { privateKey } = await newUserCertificate();
  const other = { ...options, privateKey };
  expect(() => migrateManifest(golden("migrate/euca.xml"), other)).toThrow(
    "not signed with this private key",
  );
  expect(() => migrateManifest(golden("migrate/euca.xml"), { ...other, anySignature: true })).toThrow(
    "this private key does not open the bundle",
  );
});
