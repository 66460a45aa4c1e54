import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Group } from "./gauge.mjs";
import { fillTree } from "./realistic-image.mjs";

export const bucket = "acme-images";
const mib = 2 ** 20;

/** A machine with a root of its own to copy, an sshd, S3, and a group of processes for each side. In a mount namespace
 * of its own, so that all of it goes with this process. */
export async function openRig(root, treeMib) {
  const scratch = mkdtempSync(join(tmpdir(), "imgspec-bench-"));
  const at = (...names) => join(scratch, ...names);
  for (const name of ["disk", "memory", "ext4", "xfs"]) mkdirSync(at(name));
  // What the builder and S3 keep is on neither the instance's disk nor in its memory.
  sh(
    `mount -t tmpfs tmpfs "$1"; mount -t tmpfs tmpfs /dev/shm; mount --bind "$2" /mnt`,
    at("memory"),
    at("disk"),
  );
  process.env.TMPDIR = at("memory");
  const load = await compile(root, at("built"));
  const trees = { ext4: at("ext4"), xfs: at("xfs") };
  const facts = makeTrees(trees, at, treeMib);
  const { startSshd } = await load("test/help/sshd");
  const { startSshdCloud } = await load("test/help/sshd-instances");
  const instance = new Group("instance", "/dev/shm");
  const builder = new Group("builder");
  const inside = ["sh", "-c", 'echo $$ >"$0" && exec "$@"', instance.procs];
  const sshd = await startSshd([], { inside: () => Promise.resolve(inside) });
  const emulator = await startSshdCloud(sshd);
  await emulator.furnish({ buckets: [{ name: bucket, region: "us-east-1" }], images: [] });
  return {
    at,
    load,
    trees,
    facts,
    instance,
    builder,
    sshd,
    emulator,
    async [Symbol.asyncDispose]() {
      await emulator[Symbol.asyncDispose]();
      await sshd[Symbol.asyncDispose]();
      for (const group of [instance, builder]) group.end();
      // What a script that failed has mounted.
      sh('! mountpoint -q "$1" || umount -l "$1"', at("disk", "work", "to"));
      sh('umount "$1" "$2"; umount -l /mnt /dev/shm "$3"', trees.ext4, trees.xfs, at("memory"));
      rmSync(scratch, { recursive: true });
    },
  };
}

/** Runs a script in a shell; the words are its $1, $2 and so on. */
export function sh(script, ...words) {
  return execFileSync("bash", ["-euo", "pipefail", "-c", script, "bash", ...words], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
  });
}

/** Sources and what the tests have for them as plain JavaScript, in the same places among each other. */
async function compile(root, built) {
  mkdirSync(built);
  for (const name of ["templates", "schemas", "node_modules"])
    symlinkSync(join(root, name), join(built, name));
  cpSync(join(root, "package.json"), join(built, "package.json"));
  const options = "--noEmit false --declaration false --isolatedDeclarations false --sourceMap false".split(
    " ",
  );
  execFileSync("npx", ["tsc", "-p", root, "--outDir", built, ...options], { cwd: root, stdio: "inherit" });
  // What the sources read from beside themselves, and tsc does not know of.
  const libdeflate = "src/bundle/libdeflate";
  cpSync(join(root, libdeflate), join(built, libdeflate), { recursive: true });
  return (name) => import(join(built, `${name}.js`));
}

/** The same files on a file system of each type, in the page cache. */
function makeTrees(trees, at, treeMib) {
  const size = `${Math.max(320, Math.ceil(treeMib * 1.3) + 128)}M`;
  for (const [type, tree] of Object.entries(trees)) {
    const image = at(`${type}.img`);
    sh(`truncate -s "$1" "$2"; mkfs.${type} -q "$2"; mount -o loop,noatime "$2" "$3"`, size, image, tree);
  }
  fillTree(trees.ext4, treeMib * mib);
  sh(
    'cp -a "$1/usr" "$2/"; mkdir "$1/tmp" "$2/tmp"; for d; do tar -C "$d" -cf - usr | cat >/dev/null; done; sync',
    trees.ext4,
    trees.xfs,
  );
  const files = Number(sh('find "$1/usr" | wc -l', trees.ext4));
  const usedMib = Number(sh('du -sm "$1/usr" | cut -f1', trees.ext4));
  return { files, usedMib };
}
