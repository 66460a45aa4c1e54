import { open } from "node:fs/promises";
import { hasPartitionTable } from "../../bundle/partition-table.ts";
import { Problem } from "../../problem.ts";

/** A disk has a partition table and boots by its own boot loader; a bare file system is booted by a kernel from outside. */
export type DiskKind = "disk" | "file-system";

const superblockAt = 1024;
const headBytes = 2048;

/** What a raw image holds; throws where it is neither. */
export async function diskKindOf(path: string): Promise<DiskKind> {
  const head = await readHead(path);
  if (head.toString("latin1", 0, 4) === "QFI\u00fb") {
    throw new Problem("file-unreadable", `${path} is a qcow2 image, and a raw one is needed`, {
      hint: `qemu-img convert -O raw ${path} disk.img`,
    });
  }
  if (hasPartitionTable(head)) return "disk";
  if (isExt(head)) return "file-system";
  throw new Problem(
    "file-unreadable",
    `${path} holds no partition table and no ext2, ext3 or ext4 file system`,
    {
      hint: "name the raw image of a bootable disk, or of a root file system",
    },
  );
}

/** The UUID of the ext file system that an image begins with (ext4's superblock, s_uuid). */
export async function uuidOf(path: string): Promise<string> {
  const head = await readHead(path);
  const hex = head.toString("hex", superblockAt + 0x68, superblockAt + 0x78);
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

function isExt(head: Buffer): boolean {
  return head.readUInt16LE(superblockAt + 0x38) === 0xef53;
}

async function readHead(path: string): Promise<Buffer> {
  try {
    await using file = await open(path, "r");
    const head = Buffer.alloc(headBytes);
    await file.read(head, 0, headBytes, 0);
    return head;
  } catch (cause) {
    throw new Problem("file-unreadable", `cannot read the disk image ${path}`, { cause });
  }
}
