import { execFileSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { toCloud } from "../../src/aws/sdk-cloud.ts";
import { readManifest } from "../../src/bundle/read-manifest.ts";
import { newUserCertificate, type UserCertificate } from "../../src/bundle/user-certificate.ts";
import { unwrapKey } from "../../src/bundle/wrap.ts";
import { writeImage } from "../../src/bundle/write-image.ts";
import type { Emulator } from "../../src/emulator/emulator.ts";
import { LineSplitter } from "../../src/machine/lines.ts";
import { type Cli, newCli } from "../help/cli.ts";
import { type CuttingProxy, startCuttingProxy } from "../help/cutting-proxy.ts";
import { newEmulated } from "../help/emulated.ts";
import { startOtherNetwork } from "../help/other-network.ts";
import { childrenLike } from "../help/processes.ts";

/** Each is the moment of a cut: two while scripts run, three while the image is made and sent. */
const moments = [/count 3 of 40/, /count 20 of 40/, /measuring the files/, /writing \d+ files/, /sending/];

test.each(["builder", "instance"])(
  "a build with bundle.at: %s whose SSH connection is cut five times gives a whole image, and leaves nothing",
  async (at) => {
    await using cli = await newCli("quickstart");
    await using emulator = await newEmulated(join(cli.folder, "image.yaml"));
    const user = await newUserCertificate();
    await prepare(cli, at, user);
    await using proxy = await startCuttingProxy(Number(new URL(emulator.url).port));
    await using network = await startOtherNetwork(emulator, proxy.port);

    const build = ["build", "image.yaml", "--emulator", network.url, "--output", "ndjson"];
    const started = await cli.start(/./, ...build);
    const cuts = cutAt(moments, started.process.stdout, proxy);
    const { code, stdout, stderr } = await started.ended;
    expect(stderr).toBe("");
    expect(code).toBe(0);
    expect(cuts()).toBe(moments.length);
    expect(proxy.cuts).toBeGreaterThanOrEqual(moments.length);
    expect(stdout.includes("bundling on the instance: ")).toBe(at === "instance");
    const counted = [...stdout.matchAll(/count (\d+) of 40"/g)].map(([, number]) => Number(number));
    expect(counted).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));

    const manifest = manifestOf(emulator);
    const verified = await cli.run("verify", `s3://${manifest}`, "--emulator", emulator.url);
    expect(verified).toMatchObject({ code: 0 });
    const image = await restore(cli, emulator, user);
    expect(debugfs(image, "cat /etc/motd")).toBe(await readFile(join(cli.folder, "motd"), "utf8"));
    expect(debugfs(image, "cat /etc/counted")).toBe("40\n");
    for (const directory of ["/tmp", "/var/tmp", "/mnt", "/dev/shm", "/run"]) {
      expect(debugfs(image, `ls -p ${directory}`), directory).not.toContain("imgspec");
    }

    expect(emulator.left()).toMatchObject({ instances: [], keyPairs: [], securityGroups: [] });
    const { parts } = readManifest(await objectOf(emulator, manifest)).image;
    expect(emulator.left().objects).toHaveLength(parts.length + 1);
    // Those of an instance would be seen here.
    await expect.poll(() => childrenLike(/imgspec-[0-9a-f]{24}|imgspec-image|unshare -m sh/)).toEqual([]);
  },
  180_000,
);

/**
 * Cuts once for each pattern, in their order, when a line of the stream matches, or as soon as there is a connection again; tells how
 * often so far.
 */
function cutAt(patterns: readonly RegExp[], stream: NodeJS.ReadableStream | null, proxy: CuttingProxy) {
  let count = 0;
  let cuts = 0;
  let last = Promise.resolve();
  const cut = async (): Promise<void> => {
    while (proxy.open === 0) await sleep(5);
    proxy.cut();
    cuts += 1;
  };
  const lines = new LineSplitter((line) => {
    if (!patterns[count]?.test(line)) return;
    count += 1;
    last = last.then(cut);
  });
  stream?.on("data", (chunk: Buffer) => lines.push(chunk));
  return (): number => cuts;
}

async function prepare(cli: Cli, at: string, user: UserCertificate): Promise<void> {
  await writeFile(join(cli.folder, "cert.pem"), user.certificate);
  await writeFile(join(cli.folder, "pk.pem"), user.privateKey, { mode: 0o600 });
  const path = join(cli.folder, "image.yaml");
  const spec = await readFile(path, "utf8");
  const counting = "i=0; while [ $i -lt 40 ]; do i=$((i + 1)); echo count $i of 40; sleep 0.1; done";
  await writeFile(
    path,
    spec
      .replace(
        "provision:\n",
        `provision:\n  - shell: { inline: '${counting}; echo $i >/etc/counted', sudo: true }\n`,
      )
      .replace("bundle:\n", `bundle:\n  at: ${at}\n`)
      .replace("upload:\n", "certificate: { certificate: cert.pem, privateKey: pk.pem }\nupload:\n"),
  );
}

/** `bucket/key` */
function manifestOf(emulator: Emulator): string {
  return emulator.left().objects.find((name) => name.endsWith(".manifest.xml")) ?? "no manifest";
}

function openObject(emulator: Emulator, name: string) {
  const [bucket = "", ...rest] = name.split("/");
  const provider = toCloud(emulator.cloud).account({ region: "us-east-1" });
  return provider.getObject({ bucket, key: rest.join("/") }, AbortSignal.timeout(20_000));
}

async function objectOf(emulator: Emulator, name: string): Promise<string> {
  return text(await openObject(emulator, name));
}

/** The path of the image as the user unbundles it from S3. */
async function restore(cli: Cli, emulator: Emulator, user: UserCertificate): Promise<string> {
  const name = manifestOf(emulator);
  const manifest = readManifest(await objectOf(emulator, name));
  const key = unwrapKey(manifest.image.owner, user.privateKey);
  const path = join(cli.folder, "restored.img");
  const open = ({ fileName }: { readonly fileName: string }) =>
    openObject(emulator, `${name.slice(0, name.lastIndexOf("/"))}/${fileName}`);
  await writeImage(manifest, key, open, path, { signal: AbortSignal.timeout(60_000) });
  return path;
}

function debugfs(image: string, request: string): string {
  const env = { ...process.env, PATH: `${process.env["PATH"]}:/sbin:/usr/sbin` };
  const stdio: ["ignore", "pipe", "ignore"] = ["ignore", "pipe", "ignore"];
  return execFileSync("debugfs", ["-R", request, image], { encoding: "utf8", stdio, env });
}
