import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { Problem } from "../../problem.ts";
import { give } from "./base-root.ts";
import type { IdMap } from "./id-map.ts";
import { ownFolder, removeFolder } from "./instance-folder.ts";
import { runMapped } from "./user-namespace.ts";

export type ImageRootOptions = {
  readonly home: string;
  readonly idMap: IdMap;
  readonly imagePath: string;
  readonly key: string;
};

/**
 * Unpacks an ext2, ext3 or ext4 image under `home/roots` without mounting it, or finds there what this process has
 * unpacked for the same key; its name.
 * debugfs leaves out devices, sockets, extended attributes and setuid bits, and turns a hard link into a copy.
 */
export async function makeImageRoot(options: ImageRootOptions): Promise<string> {
  const { home, idMap, key } = options;
  const name = ownFolder(`image-${createHash("sha256").update(key).digest("hex").slice(0, 16)}`);
  const target = join(home, "roots", name);
  if (await exists(target)) return name;
  const beside = `${name}.${randomBytes(4).toString("hex")}`;
  await mkdir(join(home, "roots", beside));
  await give(join(home, "roots", beside), idMap);
  try {
    await unpack(options, join("roots", beside));
    await rename(join(home, "roots", beside), target);
  } catch (error) {
    await removeFolder(idMap, home, join("roots", beside));
    if (!(await exists(target))) throw error;
  }
  return name;
}

/** Whether a root is an image's, and so of use to this process alone. */
export function isImageRoot(name: string): boolean {
  return name.startsWith("image-");
}

async function unpack({ home, idMap, imagePath }: ImageRootOptions, folder: string): Promise<void> {
  const readable = await toReadable(imagePath, idMap, join(home, folder.replace("roots", "instances")));
  await using image = await open(readable, "r").catch((cause: unknown) => {
    throw new Problem("file-unreadable", `cannot read the image ${imagePath}`, { cause });
  });
  if (readable !== imagePath) await rm(readable);
  const path = "/proc/self/fd/3";
  const checked = await runMapped(idMap, ["e2fsck", "-f", "-n", path], home, image.fd);
  if (checked.code !== 0) {
    throw new Problem("bundle-invalid", "the image holds no sound ext2, ext3 or ext4 file system", {
      cause: new Error(`e2fsck: ${`${checked.stderr}\n${checked.stdout}`.trim()}`),
      hint: "a disk image with a partition table, or a damaged one, cannot start in a sandbox",
    });
  }
  const dumped = await runMapped(idMap, ["debugfs", "-R", `rdump / ${folder}`, path], home, image.fd);
  const complaint = dumped.stderr.split("\n").find((line) => isComplaint(line, idMap));
  if (dumped.code === 0 && complaint === undefined) return;
  const full = dumped.stderr.includes("No space left");
  throw new Problem(
    full ? "disk-full" : "bundle-invalid",
    `the image cannot be unpacked: ${complaint ?? dumped.stderr.trim()}`,
  );
}

/** debugfs tells its version first, and, where only root is mapped, that other owners cannot be given. */
function isComplaint(line: string, { kind }: IdMap): boolean {
  if (line.trim() === "" || /^debugfs \d/.test(line)) return false;
  return !(kind === "single" && line.includes("while changing ownership"));
}

/** Root of the map is nobody outside: what only we may read, it gets a copy of. */
async function toReadable(path: string, idMap: IdMap, copy: string): Promise<string> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new Problem("file-unreadable", `cannot read the image ${path}`, { cause });
  });
  if (idMap.kind !== "delegated" || (found.mode & 0o004) !== 0) return path;
  await promisify(execFile)("cp", ["--sparse=always", "--reflink=auto", "--", path, copy]);
  await give(copy, idMap);
  return copy;
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
