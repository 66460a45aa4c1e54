import { Problem } from "../problem.ts";
import type { BundleKey } from "./key.ts";
import type { Manifest } from "./manifest.ts";
import { openKey } from "./open-key.ts";
import type { OpenedBundle } from "./opened-bundle.ts";
import { inOrder } from "./ordered.ts";
import { readPart } from "./part-source.ts";
import { toPublicKey } from "./pem.ts";
import { checkSignature } from "./signature.ts";
import { unpack } from "./unpack.ts";

/** What a bundle is held against. */
export type VerifyOptions = {
  /** PEM of the private key of whoever made the bundle, or of EC2's. Absent: the contents stay unknown. */
  readonly privateKey?: string;
  /** PEM of the certificate of the supposed signer. Absent: the signature stays unknown. */
  readonly certificate?: string;
  readonly signal: AbortSignal;
  /** Called with the bytes of parts read so far, of `bundledSizeBytes`. */
  onProgress?(doneBytes: number): void;
};

/** One thing that was looked at. `skipped`: what it takes was not given, or another check failed. */
export type Check = {
  readonly name: "signature" | "parts" | "size" | "key" | "contents";
  readonly outcome: "passed" | "failed" | "skipped";
  /** What was found; of a check that failed, each thing that is wrong. */
  readonly details: readonly string[];
};

/** What became of a bundle: good when no check failed. */
export type Verification = { readonly isGood: boolean; readonly checks: readonly Check[] };

/**
 * Checks all that can be checked of a bundle, and names everything that is wrong rather than the first: the signature
 * (with a certificate), that each part is there with the SHA-1 that the manifest says, their sizes, and (with a private
 * key) that the key fits and the parts hold exactly the one image. Throws only for a key or certificate that is none.
 */
export async function verifyBundle(bundle: OpenedBundle, options: VerifyOptions): Promise<Verification> {
  const signature = checkSigner(bundle, options);
  const [keyCheck, key] = checkKey(bundle, options);
  const contents = key && (await checkContents(bundle, key, options));
  // When all of it holds, so do the parts; else each is gone over once more, to name every bad one.
  const parts =
    contents?.outcome === "passed" ? goodParts(bundle.manifest) : await checkParts(bundle, options);
  const checks = [signature, ...parts, keyCheck, contents ?? noContents(keyCheck)];
  return { isGood: checks.every(({ outcome }) => outcome !== "failed"), checks };
}

function checkSigner({ text }: OpenedBundle, { certificate }: VerifyOptions): Check {
  if (certificate === undefined) return toCheck("signature", "skipped", "no certificate was given");
  toPublicKey(certificate);
  switch (checkSignature(text, certificate)) {
    case "exact":
      return toCheck("signature", "passed", "fits the certificate");
    case "reformatted":
      return toCheck("signature", "passed", "fits the certificate, though the file was reformatted since");
    case "none":
      return toCheck(
        "signature",
        "failed",
        "not made with the key of this certificate, or the manifest was changed",
      );
  }
}

function checkKey({ manifest }: OpenedBundle, { privateKey }: VerifyOptions): readonly [Check, BundleKey?] {
  if (privateKey === undefined) return [toCheck("key", "skipped", "no private key was given")];
  try {
    const key = openKey(manifest.image, privateKey);
    return [toCheck("key", "passed", "the private key opens the bundle"), key];
  } catch (error) {
    return [toCheck("key", "failed", findingOf(error))];
  }
}

function noContents(key: Check): Check {
  return toCheck(
    "contents",
    "skipped",
    key.outcome === "failed" ? "the key does not fit" : "no private key was given",
  );
}

async function checkContents(
  { manifest, openPart }: OpenedBundle,
  key: BundleKey,
  { signal, onProgress }: VerifyOptions,
): Promise<Check> {
  try {
    const { sizeBytes, dataBytes } = await unpack(manifest, {
      key,
      openPart,
      signal,
      onProgress: (doneBytes) => onProgress?.(doneBytes),
    });
    return toCheck(
      "contents",
      "passed",
      `one image of ${sizeBytes} bytes (${dataBytes} stored), with the digest that the manifest says`,
    );
  } catch (error) {
    signal.throwIfAborted();
    return toCheck("contents", "failed", findingOf(error));
  }
}

/** One part is read while another is being opened, as in unpacking. */
const partsInFlight = 2;

async function checkParts(
  { manifest, openPart }: OpenedBundle,
  { signal, onProgress }: VerifyOptions,
): Promise<readonly Check[]> {
  const { parts, bundledSizeBytes } = manifest.image;
  const wrong: string[] = [];
  let total = 0;
  const found = inOrder(parts, partsInFlight, (part) =>
    readPart(part, openPart, signal).then(({ length }) => length, findingOf),
  );
  for await (const sizeOrFinding of found) {
    if (typeof sizeOrFinding === "string") wrong.push(sizeOrFinding);
    else total += sizeOrFinding;
    onProgress?.(Math.min(total, bundledSizeBytes));
  }
  if (wrong.length > 0) {
    return [
      { name: "parts", outcome: "failed", details: wrong },
      toCheck("size", "skipped", "parts are not good"),
    ];
  }
  const [partsCheck, size] = goodParts(manifest);
  if (total === bundledSizeBytes) return [partsCheck, size];
  return [
    partsCheck,
    toCheck(
      "size",
      "failed",
      `the parts have ${total} bytes together, the manifest says ${bundledSizeBytes}`,
    ),
  ];
}

function goodParts({ image }: Manifest): readonly [Check, Check] {
  const count = image.parts.length;
  return [
    toCheck("parts", "passed", count === 1 ? "the one has its SHA-1" : `all ${count} have their SHA-1`),
    toCheck("size", "passed", `${image.bundledSizeBytes} bytes together, as the manifest says`),
  ];
}

function toCheck(name: Check["name"], outcome: Check["outcome"], detail: string): Check {
  return { name, outcome, details: [detail] };
}

/** A bundle that is not good is a finding; anything else is the caller's, as what ends the work. */
function findingOf(error: unknown): string {
  if (error instanceof Problem && error.code === "bundle-invalid") return error.message;
  throw error;
}
