import { spawnSync } from "node:child_process";
import { chmod, mkdir, readdir, writeFile } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";
import { expect, test } from "vitest";
import { noise } from "../bundle/bundled.ts";
import { newTool } from "../help/tool.ts";

const pair = ["--cert", "cert-user.pem", "--privatekey", "pk-user.pem"];
// Quiet: how far a slow machine has come is no part of what is tested.
const user = ["--user", "123456789012", "--level", "1", "--quiet"];

/** A small disk of one's own takes a namespace, which not every kernel allows. */
const namespaces = spawnSync("/bin/sh", ["-c", "unshare -Urm mount -t tmpfs none /mnt"]).status === 0;

const onDisk = (options: string): string =>
  `exec unshare -Urm sh -euc 'mount -t tmpfs -o ${options} none disk; status=0; "$@" || status=$?; ls -A disk >&2; exit $status' sh "$@"`;

test.skipIf(!namespaces)(
  "a full disk ends bundle and unbundle with 6, and holds nothing afterwards",
  async () => {
    await using tool = await newTool();
    await writeFile(tool.path("web.img"), noise(12_000_000));
    await mkdir(tool.path("disk"));
    const bundled = await tool.run(["bundle", "web.img", ...user, ...pair, "-d", "disk"], {
      shell: onDisk("size=4M"),
    });
    expect(bundled).toEqual({
      code: 6,
      stdout: "",
      stderr:
        "imgspec: cannot write part 0 of the bundle to disk: the disk is full\n  hint: free some room\n",
    });
    await tool.run(["bundle", "web.img", ...user, ...pair]);
    const line = ["unbundle", "web.img.manifest.xml", "-q", "-k", "pk-user.pem", "-d", "disk"];
    const unbundled = await tool.run(line, { shell: onDisk("size=4M") });
    expect([unbundled.code, unbundled.stderr]).toEqual([
      6,
      expect.stringMatching(/^imgspec: no room for the image at .*disk\/web\.img\n( {2}hint: .*\n)?$/),
    ]);
  },
);

test.skipIf(!namespaces)("a read-only disk ends bundle and unbundle with 3", async () => {
  await using tool = await newTool();
  await tool.copy("ruby153/small/small.img.manifest.xml");
  await writeFile(tool.path("web.img"), noise(1000));
  await mkdir(tool.path("disk"));
  const given = { shell: onDisk("ro") };
  const bundled = await tool.run(["bundle", "web.img", ...user, ...pair, "-d", "disk"], given);
  expect([bundled.code, bundled.stderr]).toEqual([
    3,
    expect.stringContaining("disk: the file system is read-only"),
  ]);
  const line = ["unbundle", "small.img.manifest.xml", "-k", "pk-user.pem", "-d", "disk"];
  const unbundled = await tool.run(line, given);
  expect([unbundled.code, unbundled.stderr]).toEqual([3, expect.stringContaining("cannot write the image")]);
});

test.skipIf(process.getuid?.() === 0)(
  "a directory that may not be written ends bundle with 3 (not root)",
  async () => {
    await using tool = await newTool();
    await writeFile(tool.path("web.img"), noise(1000));
    await mkdir(tool.path("closed"), { mode: 0o555 });
    const { code, stderr } = await tool.run(["bundle", "web.img", ...user, ...pair, "-d", "closed"]);
    await chmod(tool.path("closed"), 0o755);
    expect([code, stderr]).toEqual([3, expect.stringContaining("closed: permission denied")]);
  },
);

test("what cannot be read ends with 3, what is asked for wrongly with 2", async () => {
  await using tool = await newTool();
  await writeFile(tool.path("web.img"), noise(1000));
  const endings: (number | null)[] = [];
  for (const args of [
    ["bundle", "none.img", ...user, ...pair],
    ["bundle", ".", ...user, ...pair],
    ["bundle", "web.img", ...user, ...pair, "-d", "none"],
    ["unbundle", "none.manifest.xml", "-k", "pk-user.pem"],
    ["verify", "."],
    ["bundle", "web.img"],
    ["bundle", ...user, ...pair],
    ["bundle", "web.img", "-i", "other.img", ...user, ...pair],
    ["bundle", "web.img", ...user, "--cert", "cert-user.pem"],
    ["bundle", "web.img", "--user", "12345", ...pair],
    ["bundle", "web.img", ...user, ...pair, "--prefix", "a/b"],
    ["bundle", "web.img", ...user, ...pair, "-B", "ami"],
    ["unbundle", "web.manifest.xml"],
    ["verify"],
  ]) {
    endings.push((await tool.run(args)).code);
  }
  expect(endings).toEqual([3, 3, 3, 3, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2]);
  expect(await tool.files()).toEqual(["web.img"]);
});

test("an empty image ends with 6", async () => {
  await using tool = await newTool();
  await writeFile(tool.path("empty.img"), "");
  const { code, stderr } = await tool.run(["bundle", "empty.img", ...user, ...pair]);
  expect([code, stderr, await tool.files()]).toEqual([6, "imgspec: the image is empty\n", ["empty.img"]]);
});

test("Ctrl-C ends bundle with 130 and leaves no file", async () => {
  await using tool = await newTool();
  const { process, ended } = tool.start(["bundle", "-", "--size", "1GiB", "-p", "web", ...user, ...pair]);
  process.stdin?.write(noise(25_000_000));
  await until(async () => {
    const [spool] = await tool.files();
    return spool !== undefined && (await readdir(tool.path(spool))).includes("0");
  });
  process.kill("SIGINT");
  expect(await ended).toMatchObject({
    code: 130,
    stderr: expect.stringContaining("imgspec: stopped by SIGINT"),
  });
  expect(await tool.files()).toEqual([]);
});

test("Ctrl-C ends unbundle with 130 and leaves no file", async () => {
  await using tool = await newTool();
  // Some seconds' worth of holes, for some seconds' worth of unpacking.
  const zeros = Buffer.alloc(1024 * 1024);
  const input = Array.from({ length: 4096 }, () => zeros);
  const line = ["bundle", "-", "--size", "4GiB", "-p", "web", ...user, ...pair];
  expect((await tool.run(line, { input })).code).toBe(0);
  const before = await tool.files();
  const { process, ended } = tool.start(["unbundle", "web.manifest.xml", "-k", "pk-user.pem"]);
  await until(async () => (await tool.files()).some((name) => name.endsWith(".partial")));
  process.kill("SIGINT");
  expect((await ended).code).toBe(130);
  expect(await tool.files()).toEqual(before);
});

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await wait(10);
}
