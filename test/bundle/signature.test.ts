import { expect, test } from "vitest";
import { readManifest } from "../../src/bundle/read-manifest.ts";
import { checkSignature, toSignedBytes, toSignedManifestXml } from "../../src/bundle/signature.ts";
import { ec2Certificate, golden, userCertificate, userPrivateKey } from "./golden.ts";

const signed = [
  "ruby153/small/small.img.manifest.xml",
  "ruby153/opts/renamed.manifest.xml",
  "ruby153/parts10/noise.img.manifest.xml",
  "euca/small/small.img.manifest.xml",
  "formats/v3.manifest.xml",
  "formats/v2007-08-29.manifest.xml",
  "migrate/before.xml",
  "migrate/after.xml",
  "migrate/euca.xml",
  "migrate/v3-upgraded.xml",
];

test.each(signed)("the signature of %s is the user's", (path) => {
  expect(checkSignature(golden(path), userCertificate)).toBe("exact");
  expect(checkSignature(golden(path), ec2Certificate)).toBe("none");
});

test("the signature of a reformatted manifest still fits what it says", () => {
  expect(checkSignature(golden("migrate/xmllint.xml"), userCertificate)).toBe("reformatted");
});

test.each(signed.filter((path) => path.startsWith("ruby153")))(
  "signing %s again gives the same bytes",
  (path) => {
    expect(toSignedManifestXml(readManifest(golden(path)), userPrivateKey)).toBe(golden(path));
  },
);

test("a manifest with another size, another part or no signature does not verify", () => {
  const text = golden("ruby153/small/small.img.manifest.xml");
  for (const changed of [
    text.replace("<size>3145728<", "<size>3145729<"),
    text.replace("small.img.part.0", "small.img.part.1"),
    text.replace(/<signature>.*<.signature>/, ""),
    text.replace(/<signature>.*<.signature>/, "<signature>UNSIGNED</signature>"),
  ]) {
    expect(checkSignature(changed, userCertificate)).toBe("none");
  }
});

test("what is signed is the machine configuration and the image, without what is between them", () => {
  const text = "<a/><machine_configuration>1</machine_configuration> \n<image>2</image>";
  expect(String(toSignedBytes(text))).toBe(
    "<machine_configuration>1</machine_configuration><image>2</image>",
  );
  expect(String(toSignedBytes("<image>2</image>"))).toBe("<image>2</image>");
});
