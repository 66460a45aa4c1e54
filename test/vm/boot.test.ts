import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { cp, mkdir, mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { toCloud } from "../../src/aws/sdk-cloud.ts";
import { readManifest } from "../../src/bundle/read-manifest.ts";
import { newUserCertificate } from "../../src/bundle/user-certificate.ts";
import { unwrapKey } from "../../src/bundle/wrap.ts";
import { writeImage } from "../../src/bundle/write-image.ts";
import { openEmulator, toFurniture } from "../../src/command/emulate.ts";
import { loadSpec } from "../../src/command/load.ts";
import type { Emulator } from "../../src/emulator/emulator.ts";
import { type Cli, newCli } from "../help/cli.ts";
import { debianDisk, firstSector, grubSector, type Layout, layouts } from "./layouts.ts";
import { whyNot } from "./needs.ts";
import { differences, type Entry, type Tree, toTree } from "./tree.ts";

const execute = promisify(execFile);
const reason = await whyNot();
const proof = join(import.meta.dirname, "proof");
const places = ["builder", "instance"] as const;

test.for(layouts.flatMap((layout) => places.map((at) => [layout, at] as const)))(
  "VM-1 a Debian of layout %s is bundled at the %s; the image boots, and is the same but for what was declared",
  async ([layout, at], context) => {
    if (reason !== undefined) return context.skip(reason);
    const canary = `canary${randomBytes(12).toString("hex")}`;
    const virtualization = layout === "none" ? "paravirtual" : "hvm";
    await using cli = await newCli("quickstart", { IMGSPEC_VAR_canary: canary });
    await cp(proof, cli.folder, { recursive: true });
    const user = await newUserCertificate();
    await writeFile(join(cli.folder, "cert.pem"), user.certificate);
    await writeFile(join(cli.folder, "pk.pem"), user.privateKey, { mode: 0o600 });
    await using emulator = await newVmEmulator(cli, layout, { virtualization, at, canary });

    const values = [`virtualization=${virtualization}`, `at=${at}`].flatMap((value) => ["--var", value]);
    const where = ["--emulator", emulator.url, "--output", "plain"];
    const { code, stdout, stderr } = await cli.run("build", "image.yaml", ...where, ...values);
    // The timings are part of what is shown.
    process.stdout.write(`${layout} at ${at}\n${stdout}${stderr}`);
    expect(stdout + stderr).toContain("it boots");
    expect(code).toBe(0);
    if (at === "instance") expect(stdout).toContain("bundling on the instance");

    const image = await restore(cli, emulator, user.privateKey);
    const secrets = [canary, Buffer.from(canary).toString("base64")];
    expect(await Promise.all(secrets.map((secret) => holds(image, secret)))).toEqual([false, false]);
    expect(await holds(image, "proven by a build")).toBe(true);
    if (layout !== "none") {
      const source = await readGrub(await debianDisk(layout), layout);
      expect((await readGrub(image, layout)).equals(source)).toBe(true);
    }
    const before = toTree(await readFile(join(cli.folder, "before")));
    const after = toTree(await listImage(image, firstSector[layout] * 512));
    expectPlanted(before);
    const undeclared = differences(before, after).filter(
      (line) => !declared.some((pattern) => pattern.test(line)),
    );
    expect(undeclared).toEqual([]);
  },
);

/** All in which the image may differ from its source: what is left out, and what the hygiene of the spec says. */
const declared: readonly RegExp[] = [
  // The contents of what every instance has of its own, and the times of the directories themselves.
  /^\.\/(tmp|var\/tmp|proc|sys|run|mnt|media)\//,
  /^\.(\/(tmp|var\/tmp|run|mnt))?: modified/,
  /^\.\/etc\/ssh\/ssh_host_ed25519_key(\.pub)?: lost$/,
  /^\.\/etc\/machine-id: (size|modified|content)/,
  /^\.\/var\/lib\/systemd\/random-seed: lost$/,
  /^\.\/home\/admin\/\.ssh\/authorized_keys: (size|modified|content)/,
  /^\.\/root\/(\.aws\/credentials|\.bash_history|leaked\.txt): lost$/,
  /^\.\/var\/lib\/cloud\/instances(\/.*: lost|: modified)/,
  /^\.\/var\/log(\/.*: lost|.*: modified)/,
];

/** Each of what a copy may lose is there, so that a comparison of nothing with nothing is none. */
function expectPlanted(tree: Tree): void {
  const entry = (name: string): Entry => tree.get(`./srv/planted/${name}`) ?? {};
  expect(entry("links-b")["names"]?.split(" ")).toHaveLength(3);
  expect(entry("acl")["attributes"]).toContain("system.posix_acl_access=0x");
  expect(entry("acl-default")["attributes"]).toContain("system.posix_acl_default=0x");
  expect(entry("attribute")["attributes"]).toContain("trusted.note=0x");
  expect(entry("capable")["attributes"]).toContain("security.capability=0x");
  expect(entry("devices/block")["device"]).toBe("7:63");
  expect(entry("setuid")["mode"]).toBe("4755");
  expect(entry("foreign")["owner"]).toBe("4242:70000");
  expect(entry("sparse")["isSparse"]).toBe("true");
  expect([...tree.keys()].filter((path) => path.startsWith("./srv/planted/odd/"))).toHaveLength(22);
  expect(tree.has("./.hidden-folder/file")).toBe(true);
}

async function newVmEmulator(
  cli: Cli,
  layout: Layout,
  variables: Readonly<Record<string, string>>,
): Promise<Emulator> {
  const directory = await mkdtemp(join(tmpdir(), "imgspec-proof-"));
  const { spec } = await loadSpec(join(cli.folder, "image.yaml"), { var: variables });
  const emulator = await openEmulator(directory, 0, {
    instances: "vm",
    sourceDisk: await debianDisk(layout),
  });
  await emulator.furnish(toFurniture(spec, "hvm"));
  const close = async (): Promise<void> => {
    await emulator[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  };
  return { ...emulator, [Symbol.asyncDispose]: close };
}

/** The raw image in the bundle that the emulator's S3 has, opened with the owner's key. */
async function restore(cli: Cli, emulator: Emulator, privateKey: string): Promise<string> {
  const signal = AbortSignal.timeout(300_000);
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
  const manifest = readManifest(await text(await named(".manifest.xml")));
  const path = join(cli.folder, "restored.img");
  const key = unwrapKey(manifest.image.owner, privateKey);
  await writeImage(manifest, key, ({ fileName }) => named(`/${fileName}`), path, { signal });
  return path;
}

/** What lies between the partition table and the root: GRUB in the gap or in its partition, and an EFI system partition whole. */
async function readGrub(path: string, layout: Exclude<Layout, "none">): Promise<Buffer> {
  const [from, to] = [grubSector[layout] * 512, firstSector[layout] * 512];
  await using file = await open(path);
  const { buffer } = await file.read(Buffer.alloc(to - from), 0, to - from, from);
  return buffer;
}

/** Lists it as the kernel of this machine reads it. */
async function listImage(image: string, offset: number): Promise<Buffer> {
  const mounted = `${image}.root`;
  await mkdir(mounted);
  await execute("mount", ["-o", `ro,loop,offset=${offset}`, image, mounted]);
  try {
    const { stdout } = await execute("sh", [join(proof, "list-tree.sh"), mounted], {
      encoding: "buffer",
      maxBuffer: 256 * 1024 ** 2,
    });
    return stdout;
  } finally {
    await execute("umount", [mounted]);
  }
}

async function holds(image: string, secret: string): Promise<boolean> {
  return execute("grep", ["-qaF", secret, image]).then(
    () => true,
    () => false,
  );
}
