import { execFileSync, spawn } from "node:child_process";
import { link, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { toRootImageProgram } from "../../src/machine/root-image-program.ts";

// An ordinary user is root in a user namespace of its own.
const namespace = userInfo().uid === 0 ? "unshare -m" : "unshare -Urm";
const path = `PATH="$PATH:/usr/sbin:/sbin"`;
const works = (command: string): boolean => {
  try {
    execFileSync("sh", ["-c", `${path}; ${command}`], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
};
const able = works(`${namespace} mount -t tmpfs t /mnt && mke2fs -V && e2fsck -V && debugfs -V`);
const reason = "(skipped without mount namespaces or e2fsprogs)";
const key = "ssh-ed25519 AAAABUILD imgspec";

let directory: string;
const at = (...names: string[]): string => join(directory, ...names);

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "imgspec-root-image-test-"));
  const files: Record<string, string> = {
    "etc/hostname": "golden\n",
    "etc/ssh/ssh_host_rsa_key": "private\n",
    "var/cache/apt/archive": "big\n",
    "var/cache/.hidden": "small\n",
    "home/me/.ssh/authorized_keys": `ssh-rsa AAAAOTHER me\n${key}\nssh-rsa AAAALAST you\n`,
    "home/me/deep/er/.cache/junk": "junk\n",
    "home/me/.cache/junk": "junk\n",
    "root/.ssh/authorized_keys": `command="echo no" ${key}\n`,
    'srv/app/it\'s "odd" $HOME': "kept\n",
    "srv/with space/one.log": "log\n",
    "srv/with space/two.txt": "text\n",
    "sub/under": "hidden by a mount\n",
  };
  for (const [name, content] of Object.entries(files)) {
    await mkdir(at("tree", name, ".."), { recursive: true });
    await writeFile(at("tree", name), content);
  }
  await mkdir(at("tree", "tmp"), { mode: 0o1777 });
  execFileSync("chmod", ["1777", at("tree", "tmp")]);
  await writeFile(at("tree", "tmp", "left"), "over");
  await link(at("tree", "etc", "hostname"), at("tree", "etc", "same"));
  await symlink("hostname", at("tree", "etc", "link"));
  await writeFile(at("tree", "run.sh"), "#!/bin/sh\n", { mode: 0o755 });
});
afterAll(() => rm(directory, { recursive: true, force: true }));

describe.skipIf(!able)(`an image of a tree ${reason}`, () => {
  for (const shell of ["dash", "bash", "busybox sh"]) {
    const title = `has all but what is left out, made by ${shell} (skipped where that is missing)`;
    test.skipIf(!works(`${shell} -c true`))(title, () => holdsWhatItShould(shell));
  }

  test("keeps hard links, modes and the sticky bit, by debugfs's own account", async () => {
    const { image } = await make("sh", []);
    await writeFile(at("img"), image);
    expect(debugfs("stat /etc/hostname")).toMatch(/Links: 2/);
    expect(debugfs("stat /tmp")).toMatch(/Mode: +0?1777/);
  });

  test("has the size that was asked for, and only features that old boot loaders read", async () => {
    const { image } = await make("sh", ["--size", "48"]);
    expect(image.length).toBe(48 * 1024 * 1024);
    await writeFile(at("img"), image);
    const features = /features: +(.*)/.exec(debugfs("stats -h"))?.[1] ?? "";
    expect(features.split(/\s+/)).toContain("extent");
    expect(features).not.toMatch(/64bit|metadata_csum|orphan_file/);
  });

  test("is not begun when the files are larger than it is to be", async () => {
    await mkdir(at("large"));
    await writeFile(at("large", "file"), Buffer.alloc(3 << 20, 1));
    const { code, stderr, image } = await make("sh", ["--size", "2"], at("large"));
    expect([code, image.length]).toEqual([73, 0]);
    expect(stderr).toMatch(/^imgspec-no-room: the files take \d+ MiB, the image is to have 2 MiB$/m);
  });

  test("leaves no file behind where it was made", async () => {
    await make("sh", []);
    for (const place of ["/mnt", "/var/tmp", "/tmp", directory]) {
      const left = await readdir(place).catch(() => []);
      expect(left.filter((name) => /^\.imgspec-.*\.image$/.test(name))).toEqual([]);
    }
  });

  test.each([
    ["relative/path", "not an absolute path: relative/path"],
    ["/", "the root itself cannot be left out"],
  ])("is refused when %s is to be left out", async (glob, why) => {
    const { code, stderr } = await make("sh", ["--exclude", glob]);
    expect(code).toBe(70);
    expect(stderr).toContain(`imgspec-problem: ${why}\n`);
  });
});

async function holdsWhatItShould(shell: string): Promise<void> {
  const globs = [
    "/var/cache/**",
    "/tmp/**",
    "/home/**/.cache",
    "/etc/ssh/ssh_host_*",
    "/srv/with space/*.log",
    "/nothing/matches/*",
  ];
  const before = await digest(at("tree"));
  const made = await make(shell, ["--forget", key, ...globs.flatMap((glob) => ["--exclude", glob])]);
  expect(made.stderr).toContain(`imgspec-image: size=${made.image.length}\n`);
  expect(made.code).toBe(0);
  const { names, read, mode } = await unpack(made.image);
  expect(names).toEqual([
    "etc",
    "etc/hostname",
    "etc/link",
    "etc/same",
    "etc/ssh",
    "home",
    "home/me",
    "home/me/.cache",
    "home/me/.ssh",
    "home/me/.ssh/authorized_keys",
    "home/me/deep",
    "home/me/deep/er",
    "home/me/deep/er/.cache",
    "lost+found",
    "root",
    "root/.ssh",
    "root/.ssh/authorized_keys",
    "run.sh",
    "srv",
    "srv/app",
    'srv/app/it\'s "odd" $HOME',
    "srv/with space",
    "srv/with space/two.txt",
    "sub",
    "sub/under",
    "tmp",
    "var",
    "var/cache",
  ]);
  expect(await read("home/me/.ssh/authorized_keys")).toBe("ssh-rsa AAAAOTHER me\nssh-rsa AAAALAST you\n");
  expect(await read("root/.ssh/authorized_keys")).toBe("");
  expect(await read("etc/same")).toBe("golden\n");
  expect(await mode("run.sh")).toBe(0o755);
  expect(made.image.includes("private\n")).toBe(false);
  expect(await digest(at("tree"))).toBe(before);
}

type Made = { readonly code: number | null; readonly stderr: string; readonly image: Buffer };

/** Runs the program on the tree, with something mounted in it that must not get into the image. */
async function make(shell: string, words: readonly string[], root: string = at("tree")): Promise<Made> {
  const inside = `[ ! -d "$1/sub" ] || { mount -t tmpfs t "$1/sub" && touch "$1/sub/inside"; }
    root=$1; shift; exec ${shell} -s -- --root "$root" "$@"`;
  const command = `${path}; exec ${namespace} sh -c "$@"`;
  const child = spawn("sh", ["-c", command, "sh", inside, "sh", root, ...words], {
    env: { ...process.env, TMPDIR: directory },
  });
  child.stdin.end(await toRootImageProgram({ fstab: "keep", hook: null }));
  const [chunks, errors]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => errors.push(chunk));
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, stderr: Buffer.concat(errors).toString(), image: Buffer.concat(chunks) };
}

/** What is in an image, after e2fsck found nothing to complain about. */
async function unpack(image: Buffer): Promise<{
  names: string[];
  read: (name: string) => Promise<string>;
  mode: (name: string) => Promise<number>;
}> {
  await writeFile(at("img"), image);
  execFileSync("sh", ["-c", `${path}; e2fsck -fn "$1"`, "sh", at("img")], { stdio: "pipe" });
  const out = await mkdtemp(at("out-"));
  debugfs(`rdump / ${out}`);
  return {
    names: (await readdir(out, { recursive: true })).sort(),
    read: (name) => readFile(join(out, name), "utf8"),
    mode: async (name) => (await stat(join(out, name))).mode & 0o7777,
  };
}

function debugfs(request: string): string {
  const words = ["-c", `${path}; exec debugfs -R "$1" "$2" 2>/dev/null`, "sh", request, at("img")];
  return execFileSync("sh", words, { encoding: "utf8" });
}

async function digest(tree: string): Promise<string> {
  return execFileSync("sh", ["-c", "find . -type f -exec cksum {} + | sort"], {
    cwd: tree,
    encoding: "utf8",
  });
}
