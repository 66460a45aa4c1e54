import { execFileSync } from "node:child_process";
import { copyFileSync, lstatSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";

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
  for (const [folder, mostBytes] of wanted) copySome(folder, mostBytes, tree);
  execFileSync("mke2fs", ["-q", "-t", "ext4", "-d", tree, image, "1G"]);
  rmSync(tree, { recursive: true });
  return image;
}

function copySome(folder, mostBytes, tree) {
  let left = mostBytes;
  for (const { path, sizeBytes } of filesIn(folder)) {
    if (sizeBytes > left) continue;
    left -= sizeBytes;
    const target = join(tree, path);
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(path, target);
  }
}

function* filesIn(folder) {
  for (const name of readdirSync(folder).sort()) {
    const path = join(folder, name);
    const stats = lstatSync(path);
    if (stats.isDirectory()) yield* filesIn(path);
    else if (stats.isFile()) yield { path, sizeBytes: stats.size };
  }
}
