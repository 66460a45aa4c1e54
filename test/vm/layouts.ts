import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, open, readFile, rename, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { debianDigest, installDebian } from "./debian.ts";

const execute = promisify(execFile);

/** A bare file system, and disks with GRUB in the gap after the MBR, in a partition of its own, or in an EFI system partition. */
export const layouts = ["none", "mbr", "gpt", "uefi"] as const;
export type Layout = (typeof layouts)[number];
type DiskLayout = Exclude<Layout, "none">;

const rootBytes = 512 * 1024 * 1024;
const sectorBytes = 512;
/** Where the partition with GRUB begins, and where the root does. */
export const grubSector = { mbr: 1, gpt: 2048, uefi: 2048 } as const;
export const firstSector = { none: 0, mbr: 2048, gpt: 4096, uefi: 18_432 } as const;
/** Room for the backup GPT. */
const tailSectors = { mbr: 0, gpt: 34, uefi: 34 } as const;
const rootSectors = rootBytes / sectorBytes;
const efiSectors = firstSector.uefi - grubSector.uefi;
const types = {
  bios: "21686148-6449-6E6F-744E-656564454649",
  efi: "C12A7328-F81F-11D2-BA4B-00A0C93EC93B",
} as const;
/** As Amazon's and Debian's own images number them: the root first, GRUB's partition last but in front of it. */
const tables = {
  mbr: `label: dos\n${firstSector.mbr},${rootSectors},83,*\n`,
  gpt: `label: gpt\n1 : start=${firstSector.gpt},size=${rootSectors},type=L,name=Linux\n128 : start=${grubSector.gpt},size=2048,type=${types.bios}\n`,
  uefi: `label: gpt\n1 : start=${firstSector.uefi},size=${rootSectors},type=L,name=Linux\n15 : start=${grubSector.uefi},size=${efiSectors},type=${types.efi}\n`,
} as const;
const formats = {
  mbr: ["-O", "i386-pc", "biosdisk", "part_msdos"],
  gpt: ["-O", "i386-pc", "biosdisk", "part_gpt"],
  uefi: ["-O", "x86_64-efi", "part_gpt"],
} as const;
const earlyConfig = `search --no-floppy --label root --set=root
set prefix=($root)/boot/grub
configfile ($root)/boot/grub/grub.cfg
`;

/** The disk image of a Debian laid out so; made once for each recipe, and kept under IMGSPEC_TEST_CACHE or the temporary directory. */
export async function debianDisk(layout: Layout): Promise<string> {
  const home = process.env["IMGSPEC_TEST_CACHE"] ?? join(tmpdir(), "imgspec-test-images");
  const recipe = createHash("sha256")
    .update(await debianDigest())
    .update(await readFile(import.meta.filename))
    .digest("hex");
  const folder = join(home, recipe.slice(0, 16));
  const made = await stat(folder).catch(() => undefined);
  if (!made) await makeDisks(home, folder);
  return join(folder, `${layout}.img`);
}

async function makeDisks(home: string, folder: string): Promise<void> {
  await mkdir(home, { recursive: true });
  const beside = await mkdtemp(join(home, "making-"));
  try {
    const tree = join(beside, "tree");
    await installDebian(tree);
    const root = join(beside, "none.img");
    await writeFile(root, "");
    await truncate(root, rootBytes);
    await execute("mke2fs", ["-q", "-F", "-t", "ext4", "-L", "root", "-d", tree, root]);
    await rm(tree, { recursive: true });
    for (const layout of ["mbr", "gpt", "uefi"] as const)
      await makeDisk(layout, root, join(beside, `${layout}.img`));
    await rename(beside, folder);
  } catch (error) {
    await rm(beside, { recursive: true, force: true });
    throw error;
  }
}

/** Writes the table, GRUB and the root file system into a file; no loop device, no mount, no root. */
async function makeDisk(layout: DiskLayout, root: string, path: string): Promise<void> {
  const sectors = firstSector[layout] + rootSectors + tailSectors[layout];
  await writeFile(path, "");
  await truncate(path, sectors * sectorBytes);
  const partitioning = execute("sfdisk", ["--quiet", path]);
  partitioning.child.stdin?.end(tables[layout]);
  await partitioning;
  const seek = `seek=${firstSector[layout] * sectorBytes}`;
  await execute("dd", [
    `if=${root}`,
    `of=${path}`,
    "bs=1M",
    seek,
    "oflag=seek_bytes",
    "conv=notrunc,sparse",
    "status=none",
  ]);
  await installGrub(layout, path);
}

async function installGrub(layout: DiskLayout, path: string): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), "imgspec-grub-"));
  try {
    const early = join(work, "early.cfg");
    const core = join(work, "core.img");
    await writeFile(early, earlyConfig);
    const wanted = "ext2 search search_label linux serial normal configfile terminal boot echo".split(" ");
    await execute("grub-mkimage", [
      ...["-o", core, "-p", "/boot/grub", "-c", early],
      ...formats[layout],
      ...wanted,
    ]);
    await (layout === "uefi" ? writeEfi(core, path) : writeBios(core, grubSector[layout], path));
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function writeBios(core: string, sector: number, path: string): Promise<void> {
  const first = await readFile("/usr/lib/grub/i386-pc/boot.img");
  const rest = await readFile(core);
  // Where boot.img finds the core, and where the core's first sector finds the others (GRUB's boot.h, diskboot.S).
  first.writeBigUInt64LE(BigInt(sector), 0x5c);
  rest.writeBigUInt64LE(BigInt(sector + 1), 0x1f4);
  await using disk = await open(path, "r+");
  await disk.write(first, 0, 440, 0);
  await disk.write(rest, 0, rest.length, sector * sectorBytes);
}

/** Makes a FAT file system in place, with GRUB under the name that a UEFI looks for on any disk. */
async function writeEfi(core: string, path: string): Promise<void> {
  const image = ["-i", `${path}@@${grubSector.uefi * sectorBytes}`];
  await execute("mformat", [...image, "-T", String(efiSectors), "-h", "64", "-s", "32", "::"]);
  await execute("mmd", [...image, "::/EFI", "::/EFI/BOOT"]);
  await execute("mcopy", [...image, core, "::/EFI/BOOT/BOOTX64.EFI"]);
}
