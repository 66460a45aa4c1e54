import { execFileSync } from "node:child_process";
import { lstatSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

/** Bytes of programs, libraries and texts: what a root file system has most of, in about its proportions. */
const wanted = [
  ["/usr/bin", 230e6],
  ["/usr/lib/x86_64-linux-gnu", 300e6],
  ["/usr/share", 196e6],
];

/** A file system of 1 GiB, two thirds full, of what this machine has in /usr. Needs mke2fs. */
export function makeImage(scratch) {
  const tree = join(scratch, "tree");
  const image = join(scratch, "image");
  mkdirSync(tree);
  fillTree(tree);
  execFileSync("mke2fs", ["-q", "-t", "ext4", "-d", tree, image, "1G"]);
  rmSync(tree, { recursive: true });
  return image;
}

/** Copies of this machine's /usr as much as is wanted: files with what belongs to them, and links. */
export function fillTree(tree, mostBytes = wanted.reduce((sum, [, bytes]) => sum + bytes, 0)) {
  const share = mostBytes / wanted.reduce((sum, [, bytes]) => sum + bytes, 0);
  const paths = wanted.flatMap(([folder, bytes]) => [...chooseSome(folder, bytes * share)]);
  execFileSync(
    "bash",
    [
      "-euo",
      "pipefail",
      "-c",
      'tar -C / --xattrs --null --no-recursion -T - -cf - | tar -C "$0" --xattrs -xpf -',
      tree,
    ],
    { input: paths.map((path) => path.slice(1)).join("\0"), stdio: ["pipe", "ignore", "inherit"] },
  );
}

function* chooseSome(folder, mostBytes) {
  let left = mostBytes;
  const taken = new Set();
  for (const { path, sizeBytes, inode } of filesIn(folder)) {
    // One name of each file: Amazon's tools would make files of their own of the others.
    if (sizeBytes > left || taken.has(inode)) continue;
    left -= sizeBytes;
    taken.add(inode);
    yield path;
  }
}

function* filesIn(folder) {
  for (const name of readdirSync(folder).sort()) {
    const path = join(folder, name);
    const stats = lstatSync(path);
    if (stats.isDirectory()) yield* filesIn(path);
    else if (stats.isFile() || stats.isSymbolicLink())
      yield { path, sizeBytes: stats.size, inode: stats.ino };
  }
}
