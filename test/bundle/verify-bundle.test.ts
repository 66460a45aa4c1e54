import { dirname } from "node:path";
import { beforeAll, beforeEach, expect, test } from "vitest";
import { type OpenedBundle, openBundle, toOpenedBundle } from "../../src/bundle/opened-bundle.ts";
import { partsIn } from "../../src/bundle/part-source.ts";
import { newUserCertificate } from "../../src/bundle/user-certificate.ts";
import { type Verification, type VerifyOptions, verifyBundle } from "../../src/bundle/verify-bundle.ts";
import { type Bundled, bundled, never, noise, partsOf } from "./bundled.ts";
import { golden, goldenPath, userCertificate, userPrivateKey, vectors } from "./golden.ts";

const whole = { privateKey: userPrivateKey, certificate: userCertificate };

let made: Bundled;
let parts: Uint8Array[];
beforeAll(async () => {
  made = await bundled([noise(22_000_000)], { sizeBytes: 22_000_000 });
});
beforeEach(() => {
  parts = made.parts.map((bytes) => Buffer.from(bytes));
});

test.each(Object.keys(vectors))("every check of %s passes", async (path) => {
  const verification = await verify(await openBundle(goldenPath(path)), whole);
  expect(verification.checks.map(({ outcome }) => outcome)).toEqual(Array(5).fill("passed"));
  expect(verification.isGood).toBe(true);
});

test("without a key and a certificate the parts are checked, and what is not is said", async () => {
  expect(summary(await verify(opened(), {}))).toEqual([
    "good",
    "signature skipped: no certificate was given",
    "parts passed: all 3 have their SHA-1",
    `size passed: ${made.manifest.image.bundledSizeBytes} bytes together, as the manifest says`,
    "key skipped: no private key was given",
    "contents skipped: no private key was given",
  ]);
});

test.each([{}, whole])("every bad part is named, with and without a key", async (options) => {
  parts[0]?.fill(1, 0, 1);
  parts[2] = parts[2]?.subarray(1) ?? new Uint8Array();
  const verification = await verify(opened(), options);
  const found = verification.checks.find(({ name }) => name === "parts");
  expect(verification.isGood).toBe(false);
  expect(found?.outcome).toBe("failed");
  expect(found?.details).toEqual([
    expect.stringMatching(/^part 0 \(web-base\.part\.0\) has SHA-1 /),
    expect.stringMatching(/^part 2 \(web-base\.part\.2\) has SHA-1 /),
  ]);
});

test("a missing part is named", async () => {
  const bundle = toOpenedBundle(Buffer.from(made.xml), partsIn(dirname(goldenPath("keys/pk-user.pem"))));
  const { checks } = await verify(bundle, {});
  expect(checks[1]?.details[0]).toBe("part 0 (web-base.part.0) is missing");
});

test("good parts of the wrong size together are told", async () => {
  const bundle = opened(made.xml.replace(/<bundled_size>\d+/, "<bundled_size>5"));
  expect((await verify(bundle, {})).checks[2]).toEqual({
    name: "size",
    outcome: "failed",
    details: [`the parts have ${made.manifest.image.bundledSizeBytes} bytes together, the manifest says 5`],
  });
});

test("a key that does not fit is told, and the parts are checked all the same", async () => {
  const { privateKey } = await newUserCertificate();
  expect(summary(await verify(opened(), { privateKey }))).toEqual([
    "bad",
    "signature skipped: no certificate was given",
    "parts passed: all 3 have their SHA-1",
    expect.stringMatching(/^size passed/),
    "key failed: this private key does not open the bundle: it was wrapped for another one",
    "contents skipped: the key does not fit",
  ]);
});

test("contents that are not what the manifest says are told, though the parts are good", async () => {
  const bundle = opened(
    made.xml.replace(/(<image>.*?<digest algorithm='SHA1'>)[0-9a-f]{40}/, `$1${"0".repeat(40)}`),
  );
  const { checks } = await verify(bundle, { privateKey: userPrivateKey });
  expect(checks.map(({ outcome }) => outcome)).toEqual(["skipped", "passed", "passed", "passed", "failed"]);
  expect(checks[4]?.details[0]).toMatch(/^the tar stream in the bundle has SHA-1/);
});

test("a manifest that was changed after it was signed is told; one that was only reformatted passes", async () => {
  const changed = opened(made.xml.replace("x86_64", "i386"));
  expect((await verify(changed, { certificate: userCertificate })).checks[0]?.outcome).toBe("failed");
  const reformatted = opened(golden("migrate/xmllint.xml"));
  expect((await verify(reformatted, { certificate: userCertificate })).checks[0]).toMatchObject({
    outcome: "passed",
    details: ["fits the certificate, though the file was reformatted since"],
  });
});

test("a key or certificate that is none is no finding", async () => {
  await expect(verify(opened(), { privateKey: "x" })).rejects.toMatchObject({ code: "certificate-unusable" });
  await expect(verify(opened(), { certificate: "x" })).rejects.toMatchObject({
    code: "certificate-unusable",
  });
});

test("verifying ends with the signal's reason", async () => {
  const reason = new Error("interrupted");
  for (const options of [{}, whole]) {
    await expect(verifyBundle(opened(), { ...options, signal: AbortSignal.abort(reason) })).rejects.toBe(
      reason,
    );
  }
});

function opened(xml = made.xml): OpenedBundle {
  return toOpenedBundle(Buffer.from(xml), partsOf(parts));
}

function verify(bundle: OpenedBundle, options: Omit<VerifyOptions, "signal">): Promise<Verification> {
  return verifyBundle(bundle, { ...options, signal: never });
}

function summary({ isGood, checks }: Verification): string[] {
  return [
    isGood ? "good" : "bad",
    ...checks.map(({ name, outcome, details }) => `${name} ${outcome}: ${details}`),
  ];
}
