import { dirname } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type OpenedBundle, openBundle, toOpenedBundle } from "../../src/bundle/opened-bundle.ts";
import { readPart } from "../../src/bundle/part-source.ts";
import { type Verification, verifyBundle } from "../../src/bundle/verify-bundle.ts";
import { Problem } from "../../src/problem.ts";
import { never, partsOf } from "./bundled.ts";
import { golden, goldenPath, userCertificate, userPrivateKey } from "./golden.ts";

const path = "ruby153/small/small.img.manifest.xml";
const text = Buffer.from(golden(path));
const manifests = [
  "formats/v3.manifest.xml",
  "migrate/xmllint.xml",
  "euca/small/small.img.manifest.xml",
  path,
];

/** Some bytes changed, some taken out, some put in. */
const mutation = fc.record({
  at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  out: fc.nat({ max: 40 }),
  put: fc.oneof(
    fc.uint8Array({ maxLength: 20 }),
    fc.constantFrom("<", ">", "&", "'", "/", "]]>", "<!--", "<?", "</part>", "&#0;", "\0", "9".repeat(400)),
  ),
});

const mutate = (
  bytes: Buffer,
  mutations: readonly { at: number; out: number; put: Uint8Array | string }[],
): Buffer =>
  mutations.reduce((before, { at, out, put }) => {
    const start = Math.floor(at * before.length);
    return Buffer.concat([before.subarray(0, start), Buffer.from(put), before.subarray(start + out)]);
  }, bytes);

test("a mangled manifest is read, or refused as a bad bundle, and nothing else happens", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...manifests),
      fc.array(mutation, { minLength: 1, maxLength: 4 }),
      (name, changes) => {
        const mangled = mutate(Buffer.from(golden(name)), changes);
        expect(outcomeOf(() => toOpenedBundle(mangled, partsOf([]), userPrivateKey))).toMatch(
          /^(read|bundle-invalid)$/,
        );
      },
    ),
    { numRuns: 1500 },
  );
});

test("a mangled encrypted manifest is read, or refused as a bad bundle", async () => {
  const { readFile } = await import("node:fs/promises");
  const encrypted = await readFile(goldenPath("formats/small.manifest.enc-v2.bin"));
  fc.assert(
    fc.property(fc.array(mutation, { minLength: 1, maxLength: 2 }), (changes) => {
      const mangled = mutate(encrypted, changes);
      expect(outcomeOf(() => toOpenedBundle(mangled, partsOf([]), userPrivateKey))).toMatch(
        /^(read|bundle-invalid)$/,
      );
    }),
    { numRuns: 200 },
  );
});

test("any change to a part is found", async () => {
  const whole = await partOf();
  await fc.assert(
    fc.asyncProperty(mutation, async (change) => {
      const mangled = mutate(whole, [change]);
      fc.pre(!mangled.equals(whole));
      expect((await verify(toOpenedBundle(text, partsOf([mangled])))).isGood).toBe(false);
    }),
    { numRuns: 100 },
  );
});

test("a change to what is signed is found, unless the manifest still says the same", async () => {
  const whole = partsOf([await partOf()]);
  const says = toOpenedBundle(text, whole).manifest;
  const start = text.indexOf("<machine_configuration>");
  const places = fc.integer({ min: start, max: text.indexOf("</image>") - 1 });
  await fc.assert(
    fc.asyncProperty(places, fc.integer({ min: 1, max: 255 }), async (at, change) => {
      const mangled = Buffer.from(text);
      mangled.writeUInt8((mangled[at] ?? 0) ^ change, at);
      if (outcomeOf(() => toOpenedBundle(mangled, whole)) === "bundle-invalid") return;
      const opened = toOpenedBundle(mangled, whole);
      const { isGood } = await verify(opened);
      expect({ isGood, manifest: isGood ? opened.manifest : says }).toEqual({ isGood, manifest: says });
    }),
    { numRuns: 400 },
  );
});

async function partOf(): Promise<Buffer> {
  const { manifest, openPart } = await openBundle(goldenPath(path), { source: dirname(goldenPath(path)) });
  const [part] = manifest.image.parts;
  if (!part) throw new Error("the golden bundle has a part");
  return Buffer.from(await readPart(part, openPart, never));
}

function verify(bundle: OpenedBundle): Promise<Verification> {
  return verifyBundle(bundle, { privateKey: userPrivateKey, certificate: userCertificate, signal: never });
}

function outcomeOf(read: () => unknown): string {
  try {
    read();
    return "read";
  } catch (error) {
    return error instanceof Problem ? error.code : String(error);
  }
}
