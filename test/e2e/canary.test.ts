import { randomBytes } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, expect, test } from "vitest";
import { toCloud } from "../../src/aws/sdk-cloud.ts";
import { readManifest } from "../../src/bundle/read-manifest.ts";
import { newUserCertificate, type UserCertificate } from "../../src/bundle/user-certificate.ts";
import { unwrapKey } from "../../src/bundle/wrap.ts";
import { writeImage } from "../../src/bundle/write-image.ts";
import type { Emulator } from "../../src/emulator/emulator.ts";
import { type Cli, newCli } from "../help/cli.ts";
import { newEmulated } from "../help/emulated.ts";
import { processesLike } from "../help/processes.ts";
import { startWiretap } from "../help/wiretap.ts";

const secret = `canary-${randomBytes(12).toString("hex")}`;
let user: UserCertificate;
let canaries: readonly string[];

beforeAll(async () => {
  user = await newUserCertificate();
  const body = user.privateKey.split("\n").filter((line) => line.length > 40 && !line.startsWith("---"));
  canaries = [secret, Buffer.from(secret).toString("base64").slice(0, 30), ...body];
});

test.each(["plain", "ndjson"])(
  "no secret value and no private key gets out of a build that tells %s",
  async (output) => {
    await using cli = await newCli("quickstart", { IMGSPEC_VAR_token: secret });
    await using emulator = await newEmulated(join(cli.folder, "image.yaml"));
    await addSecrets(cli.folder);
    await using wire = await startWiretap(emulator.url);

    const running = cli.run("build", "image.yaml", "--emulator", wire.url, "--output", output);
    const commands = await commandLines(running);
    const { code, stdout, stderr } = await running;
    expect(stdout + stderr).toContain("the token is ***");
    expect(code).toBe(0);

    const files = await readAll(join(cli.folder, ".imgspec"));
    const result = await readFile(join(cli.folder, "imgspec-result.json"), "latin1");
    const plan = await cli.run("plan", "image.yaml", "--output", "json");
    // Each must have been looked at in earnest: it holds what belongs there.
    const places: Readonly<Record<string, readonly [said: string | Buffer, expected: string]>> = {
      stdout: [stdout, "ami-"],
      stderr: [stderr, ""],
      "the run's directory": [files, '"type":"succeeded"'],
      "the result": [result, "ami-"],
      plan: [plan.stdout + plan.stderr, "provision.shell"],
      "what was sent": [wire.heard(), "Action=RunInstances"],
      "command lines": [commands, "bin.cjs build"],
      "the image": [await restore(cli, emulator), "Hello from an image of my own"],
    };
    for (const [place, [said, expected]] of Object.entries(places)) {
      expect(said.includes(expected), `${place} is what it should be`).toBe(true);
      const found = canaries.filter((canary) => said.includes(canary));
      expect(found, `canaries in ${place}`).toEqual([]);
    }
  },
);

/** A step that is given the secret, and prints it; a certificate and key of the user's own. */
async function addSecrets(folder: string): Promise<void> {
  await writeFile(join(folder, "cert.pem"), user.certificate);
  await writeFile(join(folder, "pk.pem"), user.privateKey, { mode: 0o600 });
  const path = join(folder, "image.yaml");
  const spec = await readFile(path, "utf8");
  await writeFile(
    path,
    spec
      .replace("variables:\n", "variables:\n  token: { sensitive: true }\n")
      .replace(
        "provision:\n",
        `provision:
  - shell: { inline: 'sleep 0.3; echo "the token is $TOKEN"', env: { TOKEN: "\${{ vars.token }}" }, sudo: true }
  - local: { command: 'sleep 0.3; echo "here the token is $TOKEN"', env: { TOKEN: "\${{ vars.token }}" } }
`,
      )
      .replace("upload:\n", "certificate: { certificate: cert.pem, privateKey: pk.pem }\nupload:\n"),
  );
}

/** Every command line on this machine while the work goes on, instances' too. */
async function commandLines(work: Promise<unknown>): Promise<string> {
  const seen = new Set<string>();
  let over = false;
  const end = (): void => {
    over = true;
  };
  void work.then(end, end);
  while (!over) {
    for (const line of await processesLike(/./)) seen.add(line);
    await sleep(20);
  }
  return [...seen].join("\n");
}

async function readAll(directory: string): Promise<string> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const texts = await Promise.all(
    files.map(({ parentPath, name }) => readFile(join(parentPath, name), "latin1")),
  );
  return texts.join("\n");
}

/** The image as the user unbundles it from S3. */
async function restore(cli: Cli, emulator: Emulator): Promise<Buffer> {
  const signal = AbortSignal.timeout(60_000);
  const provider = toCloud(emulator.cloud).account({ region: "us-east-1" });
  const objects = emulator.left().objects.map((name) => {
    const [bucket = "", ...rest] = name.split("/");
    return { bucket, key: rest.join("/") };
  });
  const named = (ending: string) => {
    const found = objects.find(({ key }) => key.endsWith(ending));
    if (!found) throw new Error(`no object ${ending}`);
    return provider.getObject(found, signal);
  };
  const xml = await text(await named(".manifest.xml"));
  const manifest = readManifest(xml);
  const path = join(cli.folder, "restored.img");
  const key = unwrapKey(manifest.image.owner, user.privateKey);
  await writeImage(manifest, key, ({ fileName }) => named(`/${fileName}`), path, { signal });
  return readFile(path);
}
