import { execFile, spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Bundled, bundled, noise } from "./bundled.ts";
import { userCertificate } from "./golden.ts";

const have = (tool: string): boolean => spawnSync(tool, ["--version"]).error === undefined;
/** A bare machine may lack openssl; .ci/run installs it. */
const missing = !["openssl", "gzip", "tar"].every(have);

const sh = (script: string): Promise<{ stdout: string }> =>
  promisify(execFile)("sh", ["-euc", script], { cwd: directory });

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "imgspec-shell-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

test.skipIf(missing)("openssl, gzip and tar restore the image from the parts", async () => {
  const image = Buffer.concat([noise(300_000), Buffer.alloc(5_000_000), noise(11_000_000), Buffer.alloc(1)]);
  const bundle = await bundled([image], { sizeBytes: image.length });
  await writeParts(bundle);
  await sh(`
    cat web-base.part.0 web-base.part.1 | openssl enc -d -aes-128-cbc -K ${bundle.key.keyHex()} -iv ${bundle.key.ivHex()} > image.tar.gz
    gzip -t image.tar.gz
    gzip -dc image.tar.gz > image.tar
    tar -xf image.tar
  `);
  expect((await readFile(join(directory, "web-base"))).equals(image)).toBe(true);
  const { stdout: digest } = await sh("openssl sha1 -r image.tar");
  expect(digest.slice(0, 40)).toBe(bundle.manifest.image.digest);
  const { stdout: listing } = await sh("TZ=UTC tar -tvf image.tar --full-time --numeric-owner");
  expect(listing.trim().split(/\s+/)).toEqual([
    "-rw-r--r--",
    "0/0",
    String(image.length),
    "1970-01-01",
    "00:00:00",
    "web-base",
  ]);
});

test.skipIf(missing)("openssl accepts the signature of the manifest", async () => {
  const bundle = await bundled([noise(1000)], { sizeBytes: 1000 });
  await writeFile(join(directory, "cert.pem"), userCertificate);
  await writeFile(join(directory, "signature"), Buffer.from(bundle.manifest.signature ?? "", "hex"));
  await writeFile(join(directory, "manifest.xml"), bundle.xml);
  const { stdout } = await sh(`
    sed 's,.*\\(<machine_configuration>.*</machine_configuration>\\)\\(<image>.*</image>\\).*,\\1\\2,' manifest.xml | tr -d '\\n' > signed
    openssl x509 -in cert.pem -pubkey -noout > public.pem
    openssl dgst -sha1 -verify public.pem -signature signature signed
  `);
  expect(stdout).toContain("Verified OK");
});

async function writeParts({ parts, manifest }: Bundled): Promise<void> {
  for (const { index, fileName } of manifest.image.parts) {
    await writeFile(join(directory, fileName), parts[index] ?? "");
  }
}
