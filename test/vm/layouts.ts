import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import {
  copyFile,
  mkdir,
  mkdtemp,
  open,
  readFile,
  rename,
  rm,
  stat,
  truncate,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { debianDigest, installDebian } from "./debian.ts";

const execute = promisify(execFile);

/** A bare file system, and disks with GRUB in the gap after the MBR or in a partition of its own. */
export const layouts = ["none", "mbr", "gpt"] as const;
export type Layout = (typeof layouts)[number];

const rootBytes = 512 * 1024 * 1024;
const sectorBytes = 512;
const firstSector = { none: 0, mbr: 2048, gpt: 4096 } as const;
/** Room for the backup GPT. */
const tailSectors = { none: 0, mbr: 0, gpt: 34 } as const;
const coreSector = { mbr: 1, gpt: 2048 } as const;
const rootSectors = rootBytes / sectorBytes;
/** As Amazon's own images number them: the root first, GRUB's partition last but in front of it. */
const tables = {
  mbr: `label: dos\n${firstSector.mbr},${rootSectors},83,*\n`,
  gpt: `label: gpt\n1 : start=${firstSector.gpt},size=${rootSectors},type=L,name=Linux\n128 : start=${coreSector.gpt},size=2048,type=21686148-6449-6E6F-744E-656564454649\n`,
} as const;
const modules = {
  mbr: ["part_msdos"],
  gpt: ["part_gpt"],
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
    await makeDisk("mbr", root, join(beside, "mbr.img"));
    await makeDisk("gpt", root, join(beside, "gpt.img"));
    await rename(beside, folder);
  } catch (error) {
    await rm(beside, { recursive: true, force: true });
    throw error;
  }
}

/** Writes the table, GRUB and the root file system into a file; no loop device, no mount, no root. */
async function makeDisk(layout: "mbr" | "gpt", root: string, path: string): Promise<void> {
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

async function installGrub(layout: "mbr" | "gpt", path: string): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), "imgspec-grub-"));
  try {
    const early = join(work, "early.cfg");
    const core = join(work, "core.img");
    await writeFile(early, earlyConfig);
    await copyFile("/usr/lib/grub/i386-pc/boot.img", join(work, "boot.img"));
    const wanted =
      "biosdisk ext2 search search_label linux serial normal configfile terminal boot echo".split(" ");
    await execute("grub-mkimage", [
      ...["-O", "i386-pc", "-o", core, "-p", "/boot/grub", "-c", early],
      ...modules[layout],
      ...wanted,
    ]);
    const first = await readFile(join(work, "boot.img"));
    const rest = await readFile(core);
    // Where boot.img finds the core, and where the core's first sector finds the others (GRUB's boot.h, diskboot.S).
    first.writeBigUInt64LE(BigInt(coreSector[layout]), 0x5c);
    rest.writeBigUInt64LE(BigInt(coreSector[layout] + 1), 0x1f4);
    await using disk = await open(path, "r+");
    await disk.write(first, 0, 440, 0);
    await disk.write(rest, 0, rest.length, coreSector[layout] * sectorBytes);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
