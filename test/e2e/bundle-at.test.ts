import { createHash } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { toCloud } from "../../src/aws/sdk-cloud.ts";
import { openKey } from "../../src/bundle/open-key.ts";
import { readManifest } from "../../src/bundle/read-manifest.ts";
import { newUserCertificate } from "../../src/bundle/user-certificate.ts";
import type { Emulator } from "../../src/emulator/emulator.ts";
import { type Cli, newCli } from "../help/cli.ts";
import { newEmulated } from "../help/emulated.ts";
import { watchProcesses } from "../help/processes.ts";

test("a build on the instance shows neither the passphrase of its key nor a presigned URL to anybody", async () => {
  await using cli = await newCli("quickstart");
  await using emulator = await newEmulated(join(cli.folder, "image.yaml"));
  const pair = await newUserCertificate();
  await writeFile(join(cli.folder, "cert.pem"), pair.certificate);
  await writeFile(join(cli.folder, "pk.pem"), pair.privateKey, { mode: 0o600 });
  await edit(cli, "bundle: { at: instance }\ncertificate: { certificate: cert.pem, privateKey: pk.pem }\n");

  const running = cli.run("build", "image.yaml", "--emulator", emulator.url, "--output", "ndjson");
  const { commands, environments } = await watchProcesses(running);
  const processes = `${commands}\n${environments}`;
  const { code, stdout, stderr } = await running;
  expect(stderr).toBe("");
  expect(code).toBe(0);
  expect(stdout).toContain("bundling on the instance: ");
  expect(processes).toMatch(/openssl enc -aes-128-cbc -nosalt -md sha256 -pass fd:5/);
  expect(processes).toMatch(/curl -q -sS .* -K put\.\d/);

  const { image } = readManifest(await manifestOf(emulator));
  const key = openKey(image, pair.privateKey);
  const files = await readAll(join(cli.folder, ".imgspec"));
  expect(files).toContain("s3.parts");
  for (const said of [
    processes,
    stdout,
    files,
    await readFile(join(cli.folder, "imgspec-result.json"), "utf8"),
  ]) {
    expect(said).not.toContain("X-Amz-Signature");
    expect(said).not.toContain(key.keyHex());
    // Whatever it looks like, the passphrase is what has this SHA-256.
    const words = said.match(/[0-9a-f]{64}/g) ?? [];
    expect(words.map(sha256)).not.toContain(key.keyHex() + key.ivHex());
  }
});

test("a build on the builder gives an image that starts, too", async () => {
  await using cli = await newCli("quickstart");
  await edit(cli, "bundle: { at: builder }\n");
  const { code, stdout, stderr } = await cli.run("build", "image.yaml", "--emulate", "--try", "greet");
  expect(stderr).toBe("");
  expect(stdout).toContain("Hello from an image of my own");
  expect(stdout).not.toContain("bundling on");
  expect(code).toBe(0);
});

async function edit(cli: Cli, sections: string): Promise<void> {
  const path = join(cli.folder, "image.yaml");
  const spec = await readFile(path, "utf8");
  await writeFile(path, spec.replace(/^bundle:\n(?: .*\n)+/m, sections));
}

async function manifestOf(emulator: Emulator): Promise<string> {
  const name = emulator.left().objects.find((one) => one.endsWith(".manifest.xml")) ?? "";
  const [bucket = "", ...rest] = name.split("/");
  const provider = toCloud(emulator.cloud).account({ region: "us-east-1" });
  return text(await provider.getObject({ bucket, key: rest.join("/") }, AbortSignal.timeout(20_000)));
}

async function readAll(directory: string): Promise<string> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const texts = await Promise.all(
    files.map(({ parentPath, name }) => readFile(join(parentPath, name), "latin1")),
  );
  return texts.join("\n");
}

function sha256(word: string): string {
  return createHash("sha256").update(word).digest("hex");
}
