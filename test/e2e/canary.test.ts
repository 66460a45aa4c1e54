import { randomBytes } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { beforeAll, expect, test } from "vitest";
import { toCloud } from "../../src/aws/sdk-cloud.ts";
import type { BundleKey } from "../../src/bundle/key.ts";
import { readManifest } from "../../src/bundle/read-manifest.ts";
import { newUserCertificate, type UserCertificate } from "../../src/bundle/user-certificate.ts";
import { unwrapKey } from "../../src/bundle/wrap.ts";
import { writeImage } from "../../src/bundle/write-image.ts";
import type { Emulator } from "../../src/emulator/emulator.ts";
import { type Cli, newCli } from "../help/cli.ts";
import { newEmulated } from "../help/emulated.ts";
import { watchProcesses } from "../help/processes.ts";
import { startWiretap } from "../help/wiretap.ts";

const planted = (name: string): string => `canary-${name}-${randomBytes(12).toString("hex")}`;

const token = planted("token");
/** Which nothing on the instance has to know: its scripts get the token. */
const others = ["aws", "session", "profile", "sudo", "proxy"].map(planted);
const [aws = "", session = "", profile = "", sudo = "", proxy = ""] = others;
let user: UserCertificate;
let privateKey: readonly string[];

beforeAll(async () => {
  user = await newUserCertificate();
  privateKey = user.privateKey.split("\n").filter((line) => line.length > 40 && !line.startsWith("---"));
});

test.each([
  ["plain", "builder"],
  ["ndjson", "instance"],
])(
  "no secret gets out of a build that tells %s and bundles on the %s",
  async (output, at) => {
    await using cli = await newCli("quickstart", {
      AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE",
      AWS_SECRET_ACCESS_KEY: aws,
      AWS_SESSION_TOKEN: session,
      AWS_SHARED_CREDENTIALS_FILE: "credentials",
      IMGSPEC_VAR_token: token,
      IMGSPEC_VAR_sudoPassword: sudo,
      IMGSPEC_VAR_proxyPassword: proxy,
    });
    await using emulator = await newEmulated(join(cli.folder, "image.yaml"));
    await addSecrets(cli.folder, at);
    // An instance reaches S3 at the emulator's own port alone.
    await using wire = await startWiretap(emulator.url);
    const url = at === "builder" ? wire.url : emulator.url;

    const running = cli.run("build", "image.yaml", "--emulator", url, "--output", output);
    const { commands, environments } = await watchProcesses(running);
    const { code, stdout, stderr } = await running;
    expect(stdout + stderr).toContain("the token is ***");
    expect(stdout.includes("bundling on the instance: ")).toBe(at === "instance");
    expect(code).toBe(0);

    const { image, key } = await restore(cli, emulator);
    const { secretAccessKey = "none" } = emulator.cloud.credentials ?? {};
    const rawKey = Buffer.from(key.keyBytes());
    const keyForms = [key.keyHex(), key.keyHex().toUpperCase(), rawKey.toString("latin1")];
    const canaries = [...others, secretAccessKey, ...privateKey, ...keyForms].flatMap(toForms);

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
      ...(at === "builder" ? { "what was sent": [wire.heard(), "Action=RunInstances"] as const } : {}),
      "command lines": [commands, at === "builder" ? "sh -s -- --partition" : "openssl enc -aes-128-cbc"],
      "the instance's environments": [environments, "IMGSPEC_COMMAND="],
      "the image": [image, "Hello from an image of my own"],
    };
    for (const [place, [said, expected]] of Object.entries(places)) {
      const bytes = typeof said === "string" ? Buffer.from(said, "latin1") : said;
      expect(bytes.includes(expected), `${place} is what it should be`).toBe(true);
      const forms = place === "the instance's environments" ? canaries : [...canaries, ...toForms(token)];
      const found = forms.filter((form) => bytes.includes(form, 0, "latin1"));
      expect(found, `canaries in ${place}`).toEqual([]);
    }
  },
  120_000,
);

/** Itself, and in base64 as far as what stands behind it changes nothing. */
function toForms(value: string): readonly string[] {
  return [value, Buffer.from(value, "latin1").toString("base64").slice(0, 20)];
}

/** Steps that are given the token, and print it; passwords; a profile, a certificate and a key of the user's own. */
async function addSecrets(folder: string, at: string): Promise<void> {
  const keys = `aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = ${profile}\n`;
  await writeFile(join(folder, "credentials"), `[default]\n${keys}`, { mode: 0o600 });
  await writeFile(join(folder, "cert.pem"), user.certificate);
  await writeFile(join(folder, "pk.pem"), user.privateKey, { mode: 0o600 });
  const names = ["token", "sudoPassword", "proxyPassword"];
  const proxySpec = `{ url: "http://192.0.2.1:3128", user: builder, password: "\${{ vars.proxyPassword }}" }`;
  const path = join(folder, "image.yaml");
  const spec = await readFile(path, "utf8");
  await writeFile(
    path,
    spec
      .replace(
        "variables:\n",
        `variables:\n${names.map((name) => `  ${name}: { sensitive: true }\n`).join("")}`,
      )
      .replace("connect:\n", `connect:\n  sudoPassword: "\${{ vars.sudoPassword }}"\n  proxy: ${proxySpec}\n`)
      .replace("bundle:\n", `bundle:\n  at: ${at}\n`)
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

async function readAll(directory: string): Promise<string> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const texts = await Promise.all(
    files.map(({ parentPath, name }) => readFile(join(parentPath, name), "latin1")),
  );
  return texts.join("\n");
}

/** The image as the user unbundles it from S3, and the AES key that opened it. */
async function restore(cli: Cli, emulator: Emulator): Promise<{ image: Buffer; key: BundleKey }> {
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
  return { image: await readFile(path), key };
}
