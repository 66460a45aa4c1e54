import { createCipheriv, createDecipheriv, createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { BundleKey } from "../../src/bundle/key.ts";
import type { Manifest } from "../../src/bundle/manifest.ts";
import type { OpenPart } from "../../src/bundle/part-source.ts";
import { readManifest } from "../../src/bundle/read-manifest.ts";
import { unwrapKey } from "../../src/bundle/wrap.ts";
import { writeImage } from "../../src/bundle/write-image.ts";
import { Problem } from "../../src/problem.ts";
import { golden, goldenPath, userPrivateKey, vectors } from "./golden.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "imgspec-mutated-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** Each with what a run may take at most: a stream that does not end would not fail but hang. */
const limits = { numRuns: 60, interruptAfterTimeLimit: 15_000 };

test.each(Object.keys(vectors))(
  "a part of %s with any change is refused, and leaves no file",
  async (path) => {
    const { manifest, key, cipherText } = await goldenBundle(path);
    await fc.assert(
      fc.asyncProperty(mutations(), async (changes) => {
        const changed = mutate(cipherText, changes);
        fc.pre(!changed.equals(cipherText));
        expect(await outcome(manifest, key, changed)).toBe("bundle-invalid");
      }),
      limits,
    );
  },
);

test.each(Object.keys(vectors))(
  "a part of %s that was changed by whoever wrote its digest is an image or refused, and no file stands elsewhere",
  async (path) => {
    const { manifest, key, cipherText } = await goldenBundle(path);
    await fc.assert(
      fc.asyncProperty(mutations(), async (changes) => {
        const changed = mutate(cipherText, changes);
        expect(known).toContain(await outcome(withDigests(manifest, changed), key, changed));
      }),
      limits,
    );
  },
);

test.each(Object.keys(vectors))(
  "a tar stream in %s that was changed by whoever wrote all digests is an image or refused, and no file stands elsewhere",
  async (path) => {
    const { manifest, key, cipherText } = await goldenBundle(path);
    const tar = gunzipSync(crypt(createDecipheriv("aes-128-cbc", key.keyBytes(), key.ivBytes()), cipherText));
    await fc.assert(
      // Most changes to its data go unseen, so they are made where it says what the data are.
      fc.asyncProperty(mutations(8 * 512), async (changes) => {
        const changed = rechecked(mutate(tar, changes));
        const parts = crypt(createCipheriv("aes-128-cbc", key.keyBytes(), key.ivBytes()), gzipSync(changed));
        const { image } = withDigests(manifest, parts);
        const told: Manifest = { ...manifest, image: { ...image, digest: sha1(changed) } };
        expect(known).toContain(await outcome(told, key, parts));
      }),
      limits,
    );
  },
);

/** How unpacking may end. */
const known: readonly string[] = ["an image", "bundle-invalid"];

async function outcome(manifest: Manifest, key: BundleKey, bytes: Buffer): Promise<string> {
  const openPart: OpenPart = async function* () {
    yield bytes;
  };
  const path = join(directory, "image");
  // No bundle of this size takes as long.
  const signal = AbortSignal.timeout(10_000);
  try {
    await writeImage(manifest, key, openPart, path, { signal });
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    expect(await readdir(directory)).toEqual([]);
    return problem.code;
  }
  expect(await readdir(directory)).toEqual(["image"]);
  await rm(path);
  return "an image";
}

type Mutation = { readonly kind: "set" | "cut" | "insert"; readonly at: number; readonly bytes: Uint8Array };

/** At places within the first so many bytes, or as shares of all of them. */
function mutations(within?: number): fc.Arbitrary<readonly Mutation[]> {
  const at = within === undefined ? fc.double({ min: 0, max: 1, noNaN: true }) : fc.nat(within - 1);
  const one = fc.record({
    kind: fc.constantFrom("set", "set", "cut", "insert"),
    at,
    bytes: fc.uint8Array({ minLength: 1, maxLength: 24 }),
  });
  return fc.array(one, { minLength: 1, maxLength: 3 });
}

function mutate(bytes: Buffer, changes: readonly Mutation[]): Buffer {
  return changes.reduce((before, { kind, at, bytes: piece }) => {
    const place = at <= 1 ? Math.floor(at * before.length) : Math.min(at, before.length);
    const end = kind === "insert" ? place : Math.min(before.length, place + piece.length);
    return Buffer.concat([
      before.subarray(0, place),
      ...(kind === "cut" ? [] : [piece]),
      before.subarray(end),
    ]);
  }, bytes);
}

/** With the checksum that its header now has, lest every change ends there. */
function rechecked(tar: Buffer): Buffer {
  if (tar.length < 512) return tar;
  tar.write("        ", 148);
  const sum = tar.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  tar.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return tar;
}

function withDigests(manifest: Manifest, bytes: Buffer): Manifest {
  const parts = [{ index: 0, fileName: "image.part.0", sha1: sha1(bytes) }];
  return { ...manifest, image: { ...manifest.image, bundledSizeBytes: bytes.length, parts } };
}

async function goldenBundle(
  path: string,
): Promise<{ readonly manifest: Manifest; readonly key: BundleKey; readonly cipherText: Buffer }> {
  const manifest = readManifest(golden(path));
  const [part, ...others] = manifest.image.parts;
  if (!part || others.length > 0) throw new Error(`${path} is not in one part`);
  const cipherText = await readFile(join(dirname(goldenPath(path)), part.fileName));
  return { manifest, key: unwrapKey(manifest.image.owner, userPrivateKey), cipherText };
}

function crypt(cipher: ReturnType<typeof createCipheriv | typeof createDecipheriv>, bytes: Buffer): Buffer {
  return Buffer.concat([cipher.update(bytes), cipher.final()]);
}

function sha1(bytes: Uint8Array): string {
  return createHash("sha1").update(bytes).digest("hex");
}
