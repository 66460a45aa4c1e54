import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { findTool } from "../../../src/emulator/sandbox/tool.ts";
import { bootsWith } from "../../../src/emulator/vm/accelerator.ts";
import { toArguments } from "../../../src/emulator/vm/arguments.ts";
import { findVmTools } from "../../../src/emulator/vm/check.ts";
import { diskKindOf, uuidOf } from "../../../src/emulator/vm/disk.ts";
import { firmwareOf } from "../../../src/emulator/vm/firmware.ts";
import { newVmHost } from "../../../src/emulator/vm/host.ts";
import { extractKernel, toMenuEntry } from "../../../src/emulator/vm/kernel.ts";

const directory = mkdtempSync(join(tmpdir(), "imgspec-vm-"));
afterAll(() => rm(directory, { recursive: true, force: true }));

const menu = `default=1
timeout 0
title Other
  kernel /boot/vmlinuz-1
title Wanted
  root (hd0)
  kernel (hd0)/vmlinuz root=/dev/xvda1 ro console=hvc0 quiet
  initrd /boot/initrd.img-6.1
`;

test("what is missing for virtual machines is told with the packages that have it", async () => {
  await expect(
    findVmTools(async (name) => (name.startsWith("qemu") ? undefined : `/usr/bin/${name}`)),
  ).rejects.toMatchObject({
    code: "vm-unavailable",
    message: "vm instances need qemu-system-x86_64 (qemu-system-x86)",
    hint: expect.stringContaining("apt-get install --no-install-recommends qemu-system-x86"),
  });
});

test("a source disk that cannot boot is refused before anything starts, and says what to name", async () => {
  const [none, noise, foreign] = ["none", "noise", "qcow2"].map((name) => join(directory, name));
  writeFileSync(noise ?? "", Buffer.alloc(4096));
  writeFileSync(foreign ?? "", Buffer.concat([Buffer.from("QFI\u00fb", "latin1"), Buffer.alloc(4096)]));
  const check = (sourceDisk = "") => newVmHost({ directory, sourceDisk }).check();
  await expect(check(none)).rejects.toMatchObject({ message: `cannot read the disk image ${none}` });
  await expect(check(noise)).rejects.toMatchObject({
    message: `${noise} holds no partition table and no ext2, ext3 or ext4 file system`,
  });
  await expect(check(foreign)).rejects.toMatchObject({ hint: `qemu-img convert -O raw ${foreign} disk.img` });
});

test("a disk is told from a bare file system", async () => {
  const [disk, bare] = [join(directory, "disk"), newFileSystem("bare", {})];
  writeFileSync(disk, "");
  truncateSync(disk, 4 * 1024 ** 2);
  execFileSync("sfdisk", ["--quiet", disk], { input: "label: gpt\n2048,,L\n" });
  expect([await diskKindOf(disk), await diskKindOf(bare)]).toEqual(["disk", "file-system"]);
});

test("a disk boots by UEFI if it has a partition for that and no code for a BIOS, and UEFI must be installed", async () => {
  const disk = join(directory, "efi");
  const [nowhere, ovmf] = ["nowhere", "ovmf"].map((name) => join(directory, name));
  const candidates = [nowhere, ovmf].map((code = "") => ({ code, variables: ovmf ?? "" }));
  const firmware = (table: string, code = Buffer.alloc(440)): ReturnType<typeof firmwareOf> => {
    writeFileSync(disk, code);
    truncateSync(disk, 4 * 1024 ** 2);
    execFileSync("sfdisk", ["--quiet", disk], { input: table });
    return firmwareOf(disk, candidates);
  };
  const [gpt, mbr] = ["label: gpt\n4096,,L\n2048,2048,U\n", "label: dos\n2048,2048,ef\n4096,,83\n"];
  await expect(firmware(gpt)).rejects.toMatchObject({
    code: "vm-unavailable",
    message: `${disk} boots by UEFI, and vm instances need OVMF for that`,
    hint: "install it: apt-get install --no-install-recommends ovmf",
  });
  writeFileSync(ovmf ?? "", "");
  const found = { code: ovmf, variables: ovmf };
  expect([await firmware(gpt), await firmware(mbr)]).toEqual([found, found]);
  expect([await firmware(gpt, Buffer.alloc(440, 1)), await firmware(mbr, Buffer.alloc(440, 1))]).toEqual([
    null,
    null,
  ]);
  expect(await firmware("label: gpt\n2048,,L\n")).toBeNull();
  expect(await firmwareOf(newFileSystem("bare-root", {}), candidates)).toBeNull();
});

test("a paravirtual image boots the default entry of its menu, through links, with its own root and a console", async () => {
  const image = newFileSystem(
    "menu",
    { "boot/grub/menu.lst": menu, "boot/vmlinuz-6.1": "new kernel", "boot/initrd.img-6.1": "ram" },
    { vmlinuz: "boot/vmlinuz-6.1" },
  );
  const kernel = await extractKernel(image, directory, "debugfs");
  expect(kernel.commandLine).toBe(`root=UUID=${await uuidOf(image)} ro quiet console=ttyS0`);
  expect(await readFile(kernel.path, "utf8")).toBe("new kernel");
  expect(await readFile(kernel.initrd ?? "", "utf8")).toBe("ram");
});

test("without a menu the newest kernel boots, by number and not by letter", async () => {
  const image = newFileSystem("bare-boot", { "boot/vmlinuz-5.9": "old", "boot/vmlinuz-5.10": "new" });
  const kernel = await extractKernel(image, directory, "debugfs");
  expect([await readFile(kernel.path, "utf8"), kernel.initrd, kernel.commandLine]).toEqual([
    "new",
    null,
    "root=/dev/vda ro quiet console=ttyS0",
  ]);
});

test("an image without a kernel, or whose menu names none that is there, is told of", async () => {
  const empty = newFileSystem("no-kernel", { "etc/fstab": "" });
  await expect(extractKernel(empty, directory, "debugfs")).rejects.toMatchObject({
    message: expect.stringContaining("no kernel"),
  });
  const wrong = newFileSystem("wrong", { "boot/grub/grub.conf": menu });
  await expect(extractKernel(wrong, directory, "debugfs")).rejects.toMatchObject({
    message: "the image's boot menu names /vmlinuz, which is not there",
  });
});

const qemu = await findTool("qemu-system-x86_64");

test.skipIf(qemu === undefined)(
  "an accelerator counts when a BIOS comes to its end on it in time (skipped without qemu-system-x86)",
  async () => {
    expect(await bootsWith("tcg", qemu ?? "", 15_000)).toBe(true);
    expect(await bootsWith("tcg", qemu ?? "", 1)).toBe(false);
    expect(await bootsWith("kvm", "/nonexistent", 15_000)).toBe(false);
  },
);

test("a menu without a kernel is no menu", () => {
  expect(toMenuEntry("")).toBeUndefined();
  expect(toMenuEntry("title x\n root (hd0)\n")).toBeUndefined();
});

test("the root disk of a machine is only read, and a comma in a path is no end of it", () => {
  const words = toArguments({
    accelerator: "tcg",
    processors: 8,
    disk: "/a,b/root.img",
    kernel: null,
    firmware: null,
    volumes: ["/v"],
    relay: ["/usr/bin/node", "/a b'c"],
  });
  expect(words.filter((word) => word.startsWith("if=none"))).toEqual([
    "if=none,id=root,file=/a,,b/root.img,format=raw,cache=unsafe,discard=unmap,snapshot=on",
    "if=none,id=volume0,file=/v,format=raw,cache=unsafe,discard=unmap",
  ]);
  expect(words.find((word) => word.startsWith("user,"))).toContain(`-cmd:'/usr/bin/node' '/a b'\\''c'`);
  expect(words[words.indexOf("-smp") + 1]).toBe("2");
});

function newFileSystem(
  name: string,
  files: Readonly<Record<string, string>>,
  links: Readonly<Record<string, string>> = {},
): string {
  const [tree, image] = [join(directory, `${name}.tree`), join(directory, name)];
  mkdirSync(join(tree, "boot/grub"), { recursive: true });
  mkdirSync(join(tree, "etc"));
  for (const [path, content] of Object.entries(files)) writeFileSync(join(tree, path), content);
  for (const [path, target] of Object.entries(links)) symlinkSync(target, join(tree, path));
  writeFileSync(image, "");
  truncateSync(image, 8 * 1024 ** 2);
  execFileSync("mke2fs", ["-q", "-F", "-t", "ext4", "-d", tree, image]);
  return image;
}
