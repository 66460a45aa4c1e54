import fc from "fast-check";
import { expect, test } from "vitest";
import type { Manifest } from "../../src/bundle/manifest.ts";
import { toManifestXml } from "../../src/bundle/manifest-xml.ts";
import { readManifest } from "../../src/bundle/read-manifest.ts";
import { golden } from "./golden.ts";

const amazons = [
  "ruby153/small/small.img.manifest.xml",
  "ruby153/opts/renamed.manifest.xml",
  "ruby153/parts10/noise.img.manifest.xml",
  "formats/v3.manifest.xml",
  "formats/v2007-08-29.manifest.xml",
  "migrate/before.xml",
  "migrate/after.xml",
  "migrate/v3-upgraded.xml",
];

test.each(amazons)("a manifest of Amazon's tool, read and written again, is the same bytes: %s", (path) => {
  expect(toManifestXml(readManifest(golden(path)))).toBe(golden(path));
});

test("a manifest of euca2ools is written in Amazon's spelling, with nothing lost", () => {
  const theirs = golden("euca/small/small.img.manifest.xml");
  const declaration = /^<\?xml .*\?>\s*/;
  expect(toManifestXml(readManifest(theirs)).replace(declaration, "")).toBe(
    theirs.replace(declaration, "").replaceAll('"', "'").trimEnd(),
  );
});

test("a manifest that was reformatted by hand reads like the one it was made from", () => {
  const reformatted = readManifest(golden("migrate/xmllint.xml"));
  expect(reformatted.image).toEqual(readManifest(golden("ruby153/small/small.img.manifest.xml")).image);
});

test("any manifest that is written reads the same", () => {
  fc.assert(
    fc.property(anyManifest(), (manifest) => {
      expect(readManifest(toManifestXml(manifest))).toEqual(manifest);
    }),
    { numRuns: 50 },
  );
});

function anyManifest(): fc.Arbitrary<Manifest> {
  // Text that XML can hold, without the outer space that reformatting adds.
  const text = fc
    .string({ unit: "grapheme", maxLength: 12 })
    .map((value) => value.replace(/[\p{Cc}\uFFFE\uFFFF]/gu, "").trim());
  const name = fc.stringMatching(/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,20}$/);
  const hex = (length: number): fc.Arbitrary<string> =>
    fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`));
  const optional = fc.option(text);
  const wrapped = fc.record({ key: hex(16), iv: hex(16) });
  return fc.record({
    version: fc.constant("2007-10-10"),
    bundler: fc.option(fc.record({ name: text, version: text, release: text })),
    machine: fc.option(
      fc.record({
        architecture: text,
        blockDeviceMapping: fc.array(fc.record({ virtual: text, device: text }), { maxLength: 3 }),
        kernel: optional,
        ramdisk: optional,
        productCodes: fc.array(text, { maxLength: 3 }),
      }),
    ),
    image: fc.record({
      name,
      user: text,
      type: optional,
      kernelName: optional,
      ancestry: fc.array(text, { maxLength: 3 }),
      digest: hex(40),
      sizeBytes: fc.maxSafeNat(),
      bundledSizeBytes: fc.maxSafeNat(),
      ec2: wrapped,
      owner: wrapped,
      parts: fc
        .uniqueArray(name, { minLength: 1, maxLength: 12 })
        .chain((names) =>
          fc.tuple(
            ...names.map((fileName, index) =>
              fc.record({ index: fc.constant(index), fileName: fc.constant(fileName), sha1: hex(40) }),
            ),
          ),
        ),
    }),
    signature: fc.option(hex(32)),
  });
}
