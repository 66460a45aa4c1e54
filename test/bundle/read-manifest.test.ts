import fc from "fast-check";
import { expect, test } from "vitest";
import { architectureOf } from "../../src/bundle/manifest.ts";
import { readManifest } from "../../src/bundle/read-manifest.ts";
import { golden } from "./golden.ts";

const plain = golden("ruby153/small/small.img.manifest.xml");
const reformatted = golden("migrate/xmllint.xml");

test("manifests from before 2007-10-10 are machines, and those of version 3 are i386", () => {
  const v3 = readManifest(golden("formats/v3.manifest.xml"));
  const v2007 = readManifest(golden("formats/v2007-08-29.manifest.xml"));
  expect([v3.version, v3.machine, v3.image.type, architectureOf(v3)]).toEqual(["3", null, null, "i386"]);
  expect([v2007.version, v2007.image.type, architectureOf(v2007)]).toEqual(["20070829", null, "x86_64"]);
  expect(readManifest(plain.replace("2007-10-10", "2007-08-29")).version).toBe("2007-08-29");
});

test("everything that a manifest can say of its machine is read", () => {
  expect(readManifest(golden("ruby153/opts/renamed.manifest.xml")).machine).toEqual({
    architecture: "x86_64",
    blockDeviceMapping: [
      { virtual: "ami", device: "sda1" },
      { virtual: "ephemeral0", device: "sdb" },
      { virtual: "root", device: "/dev/sda1" },
      { virtual: "swap", device: "sda3" },
      { virtual: 'x"y', device: "a&b<c>d'e" },
    ],
    kernel: "aki-12345678",
    ramdisk: "ari-12345678",
    productCodes: ["AAA,BBB"],
  });
});

test("parts are read in the order of their index, not of the file", () => {
  const shuffled = golden("ruby153/parts10/noise.img.manifest.xml").replace(
    /(<part index='0'>.*?<\/part>)(<part index='1'>.*?<\/part>)/,
    "$2$1",
  );
  expect(
    readManifest(shuffled)
      .image.parts.slice(0, 2)
      .map(({ fileName }) => fileName),
  ).toEqual(["noise.img.part.00", "noise.img.part.01"]);
});

test.each([
  ["<filename>small.img.part.0<", "<filename>../x<", '<filename> "../x" is not a plain file name'],
  ["<filename>small.img.part.0<", "<filename>/etc/x<", '<filename> "/etc/x" is not a plain file name'],
  ["<filename>small.img.part.0<", "<filename>..<", '<filename> ".." is not a plain file name'],
  ["<name>small.img<", "<name>a/b<", '<name> "a/b" is not a plain file name'],
  ["<size>3145728<", "<size>3 MB<", '<size> "3 MB" is no number of bytes'],
  ["<size>3145728</size>", "", "<image> has no <size>"],
  ["<size>3145728</size>", "<size>1</size><size>2</size>", "<image> has a second <size>"],
  ["count='1'", "count='2'", "count says 2 parts, there are 1"],
  ["part index='0'", "part index='1'", "the parts have no, or more than one, index 0"],
  ["part index='0'", "part", '"" is no index of a part'],
  ["<version>2007-10-10<", "<version>2031-01-01<", 'manifest version "2031-01-01" is not known'],
  ["digest algorithm='SHA1'", "digest algorithm='MD5'", 'digest algorithm "MD5" is not SHA1'],
  [/<digest algorithm='SHA1'>\w+/, "<digest>12", '<digest> "12" is not a SHA-1 of 40 hex digits'],
  ["key algorithm='AES-128-CBC'", "key algorithm='DES'", 'cipher "DES" is not AES-128-CBC'],
  [/<user_encrypted_iv>.*<.user_encrypted_iv>/, "", "<image> has no <user_encrypted_iv>"],
  [/<ec2_encrypted_iv>/, "<ec2_encrypted_iv>xyz", "<ec2_encrypted_iv> is not hex"],
  [/<part index.*<.part>/, "", "there are no parts"],
])("with %s made %s a manifest is refused, with the reason", (from, to, why) => {
  expect(refusalOf(plain.replace(from, to))).toMatch(/^manifest, line 1, column \d+: /);
  expect(refusalOf(plain.replace(from, to))).toContain(why);
});

test("what is wrong is told with its line and column", () => {
  expect(refusalOf(reformatted.replace("<size>3145728<", "<size>many<"))).toBe(
    'manifest, line 17, column 5: <size> "many" is no number of bytes',
  );
});

test.each([
  ["column 1: document must contain a root element", ""],
  ["line 1, column 7: text data outside of root node", "not xml"],
  ["unclosed tag", "<manifest>"],
  ["<image> where <manifest> belongs", "<image/>"],
  ["a DTD has no place in a manifest", "<!DOCTYPE m [<!ENTITY a 'b'>]><manifest>&a;</manifest>"],
  ["nested too deep", "<a>".repeat(100)],
  ["encrypted", golden("formats/small.manifest.enc-v2.bin")],
])("what is no manifest is refused: %s", (why, text) => {
  expect(refusalOf(text)).toContain(why);
});

test("a manifest with any stretch replaced is read or refused, and never breaks the reader", () => {
  const stretch = fc.tuple(fc.nat(plain.length), fc.nat(200), fc.string({ unit: "binary", maxLength: 20 }));
  fc.assert(
    fc.property(stretch, ([start, length, text]) => {
      refusalOf(plain.slice(0, start) + text + plain.slice(start + length));
    }),
    { numRuns: 300 },
  );
});

function refusalOf(text: string): string {
  try {
    readManifest(text);
    return "accepted";
  } catch (error) {
    expect(error).toMatchObject({ name: "Problem", code: "bundle-invalid" });
    return error instanceof Error ? error.message : "";
  }
}
