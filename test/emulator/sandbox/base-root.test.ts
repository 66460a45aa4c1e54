import { lstatSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { newSandboxHost } from "../../../src/emulator/sandbox/host.ts";
import { newRig, whyNot } from "./rig.ts";

const why = await whyNot();

describe.skipIf(why !== undefined)(`the built-in root${why ? ` (skipped: ${why})` : ""}`, () => {
  test("is made once, alike whenever it is made, and small", async () => {
    await using rig = newRig();
    await using other = newRig();
    const root = await rig.host.baseRoot();
    const before = treeOf(root.path);
    const again = await newSandboxHost({ directory: rig.directory }).baseRoot();
    const made = await other.host.baseRoot();
    expect(again).toEqual(root);
    expect(made.id).toBe(root.id);
    expect(treeOf(made.path)).toEqual(before);
    const sizes = Object.values(before).map(({ size }) => size);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(60e6);
  });

  test("says what it is and lets everybody into /tmp", async () => {
    await using rig = newRig();
    const { path: directory } = await rig.host.baseRoot();
    expect(readFileSync(join(directory, "etc/os-release"), "utf8")).toContain("ID=imgspec-sandbox");
    expect(statSync(join(directory, "tmp")).mode & 0o7777).toBe(0o1777);
    expect(statSync(directory).mode & 0o7777).toBe(0o755);
    expect(statSync(join(directory, "etc/machine-id")).size).toBe(0);
  });

  test("has only programs that find their libraries", async () => {
    await using rig = newRig();
    await using instance = await rig.launch();
    const { stdout } = await instance.run("ldd /usr/bin/* /usr/sbin/* 2>/dev/null | grep 'not found'");
    expect(stdout).toBe("");
  });

  test("has every file readable by its root", async () => {
    await using rig = newRig();
    await using instance = await rig.launch();
    expect((await instance.run("find / -xdev -type f ! -readable; find / -xdev -perm /6000")).stdout).toBe(
      "",
    );
  });
});

type Entry = { readonly mode: number; readonly size: number; readonly modifiedMs: number };

function treeOf(directory: string, below = ""): Readonly<Record<string, Entry>> {
  const entries = readdirSync(join(directory, below)).flatMap((name) => {
    const path = join(below, name);
    const { mode, size, mtimeMs } = lstatSync(join(directory, path));
    const folder = lstatSync(join(directory, path)).isDirectory();
    const entry = {
      mode,
      size: folder ? 0 : size,
      modifiedMs: lstatSync(join(directory, path)).isSymbolicLink() ? 0 : mtimeMs,
    };
    return [[path, entry] as const, ...(folder ? Object.entries(treeOf(directory, path)) : [])];
  });
  return Object.fromEntries(entries);
}
