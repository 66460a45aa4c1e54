import { execFile } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, test } from "vitest";
import { newRig, whyNot } from "./rig.ts";

const why = await whyNot();

describe.skipIf(why !== undefined)(`a root from an image${why ? ` (skipped: ${why})` : ""}`, () => {
  const rig = newRig();
  const directory = mkdtempSync(join(tmpdir(), "imgspec-image-"));
  afterAll(async () => {
    await rig[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  test("has the image's names, modes, links and contents, also when only we may read the image", async () => {
    const tree = join(directory, "tree");
    mkdirSync(join(tree, "etc/empty"), { recursive: true });
    writeFileSync(join(tree, "etc/with 'quotes' and ümlauts"), "content\n", { mode: 0o640 });
    chmodSync(join(tree, "etc/empty"), 0o775);
    symlinkSync("/etc/empty", join(tree, "link"));
    const image = await toImage(tree, join(directory, "small.ext4"));
    chmodSync(image, 0o600);
    const root = await rig.host.rootFromImage(image, "small");
    const { stdout } = await promisify(execFile)("find", [
      root.path,
      "-mindepth",
      "1",
      "-printf",
      "%P %y %m %l|",
    ]);
    expect(stdout.split("|").filter(Boolean).sort()).toEqual([
      "etc d 755 ",
      "etc/empty d 775 ",
      "etc/with 'quotes' and ümlauts f 640 ",
      "link l 777 /etc/empty",
      "lost+found d 700 ",
    ]);
    expect(await rig.host.rootFromImage("/nowhere", "small")).toEqual(root);
    await expect(rig.launch({ root })).rejects.toThrow("the instance did not boot: its root has no /bin/sh");
  });

  test("starts as an instance when an instance made the image of itself", async () => {
    const image = join(directory, "self.ext4");
    await using source = await rig.launch({ user: "root" });
    await source.run("echo customised >/srv/proof; ln -s proof /srv/link");
    const make = [
      "mkdir /mnt/tree; mount --bind / /mnt/tree",
      "truncate -s 160M /mnt/image; mke2fs -q -t ext4 -d /mnt/tree /mnt/image >&2",
      "cat /mnt/image",
    ];
    const { stdout } = await source.run(make.join("\n"));
    writeFileSync(image, stdout, "latin1");
    const root = await rig.host.rootFromImage(image, "self");
    await using made = await rig.launch({ root, hostname: "made" });
    expect(await made.run("cat /srv/link; hostname; ls -A /mnt /proc/1/root/sys; id -u")).toMatchObject({
      stdout: "customised\nmade\n0\n".replace("made\n", "made\n/mnt:\n\n/proc/1/root/sys:\n"),
    });
  });

  test.each([
    ["noise", () => writeFileSync(join(directory, "bad"), Buffer.alloc(70_000, 7))],
    ["nothing", () => writeFileSync(join(directory, "bad"), "")],
  ])("is refused as a bad bundle when the image is %s", async (_what, write) => {
    write();
    await expect(rig.host.rootFromImage(join(directory, "bad"), "bad")).rejects.toMatchObject({
      code: "bundle-invalid",
    });
  });

  test("is refused when the image is cut short, and can be made once it is whole", async () => {
    const tree = join(directory, "big");
    mkdirSync(tree);
    writeFileSync(join(tree, "file"), Buffer.alloc(3_000_000, 1));
    const image = await toImage(tree, join(directory, "cut.ext4"));
    truncateSync(image, 1_000_000);
    await expect(rig.host.rootFromImage(image, "cut")).rejects.toMatchObject({ code: "bundle-invalid" });
    const whole = await toImage(tree, join(directory, "whole.ext4"));
    expect((await rig.host.rootFromImage(whole, "cut")).path).toContain("image-");
  });

  test("is gone when the host is closed, whatever its modes and owners", async () => {
    await using own = newRig();
    await using source = await own.launch();
    const make = [
      "mkdir -p /mnt/tree/shut/inner; chmod 0 /mnt/tree/shut; chown 12:34 /mnt/tree/shut/inner",
      "mke2fs -q -t ext4 -d /mnt/tree /mnt/image 8M >&2; cat /mnt/image",
    ];
    const image = join(directory, "shut.ext4");
    writeFileSync(image, (await source.run(make.join("\n"))).stdout, "latin1");
    const { path: root } = await own.host.rootFromImage(image, "shut");
    expect(existsSync(join(root, "shut"))).toBe(true);
    await own.host.close();
    expect(existsSync(root)).toBe(false);
  });

  test("is refused when there is no image", async () => {
    await expect(rig.host.rootFromImage(join(directory, "none"), "none")).rejects.toMatchObject({
      code: "file-unreadable",
    });
  });
});

async function toImage(tree: string, path: string): Promise<string> {
  await promisify(execFile)("mke2fs", ["-q", "-t", "ext4", "-d", tree, path, "8M"], {
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
  });
  return path;
}
