import { execFileSync, spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { toRootImageProgram } from "../../src/machine/root-image-program.ts";

const path = `${process.env["PATH"]}:/usr/sbin:/sbin`;

/** What a command prints. It fails the test if the command fails. */
export function sh(script: string, ...words: readonly string[]): string {
  const env = { ...process.env, PATH: path, LC_ALL: "C" };
  return execFileSync("sh", ["-euc", script, "sh", ...words], { encoding: "utf8", env, stdio: "pipe" });
}

/** Whether a command succeeds. */
export function works(script: string): boolean {
  try {
    sh(script);
    return true;
  } catch {
    return false;
  }
}

export const shells: readonly string[] = ["dash", "bash", "busybox sh"].filter((shell) =>
  works(`${shell} -c true`),
);

/** Why disks cannot be copied here; undefined: they can. */
export const whyNoDisks: string | undefined =
  userInfo().uid !== 0 || !works("unshare -m true")
    ? "only root can mount"
    : !works("command -v sfdisk sgdisk mke2fs debugfs setfacl setfattr setcap")
      ? "sfdisk, sgdisk, e2fsprogs, acl, attr or libcap is missing"
      : works("losetup -f")
        ? undefined
        : "there is no loop device";

export type Copied = { readonly code: number | null; readonly stderr: string; readonly path: string };

export type CopyRig = AsyncDisposable & {
  at(...names: readonly string[]): string;
  /** Writes files, their directories too. */
  plant(directory: string, files: Readonly<Record<string, string>>): Promise<void>;
  /** Runs the program in a mount namespace of its own, after a script there with the words as its arguments. */
  copy(words: readonly string[], options?: CopyOptions): Promise<Copied>;
};

type CopyOptions = {
  readonly shell?: string;
  readonly before?: string;
  readonly fstab?: string;
  readonly hook?: string;
  readonly onLine?: (line: string) => void;
};

/** A directory to copy volumes in. The image is written to the file `image`. */
export async function newCopyRig(): Promise<CopyRig> {
  const directory = await mkdtemp(join(tmpdir(), "imgspec-copy-"));
  const at = (...names: readonly string[]): string => join(directory, ...names);
  return {
    at,
    plant: async (name, files) => {
      for (const [file, content] of Object.entries(files)) {
        await mkdir(dirname(at(name, file)), { recursive: true });
        await writeFile(at(name, file), content);
      }
    },
    copy: async (words, { shell = "sh", before = ":", fstab, hook, onLine } = {}) => {
      const script = `${before}\n${shell} -s -- "$@" >"${at("image")}"`;
      const child = spawn("unshare", ["-m", "sh", "-c", script, "sh", ...words], {
        env: { ...process.env, PATH: path, TMPDIR: directory },
      });
      const program = {
        fstab: fstab === undefined ? ("keep" as const) : { text: fstab },
        hook: hook ?? null,
      };
      child.stdin.on("error", () => undefined);
      child.stdin.end(await toRootImageProgram(program));
      child.stderr.on("data", (chunk: Buffer) => {
        for (const line of chunk.toString().split("\n")) onLine?.(line);
      });
      const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
      const stderr = await text(child.stderr);
      return { code: await ended, stderr, path: at("image") };
    },
    async [Symbol.asyncDispose]() {
      // What a test mounted and did not unmount, or the files would go with it.
      sh(`grep -F "$1" /proc/self/mounts | while read -r _ point _; do umount -l "$point"; done`, directory);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** What to run before, so that loop devices can not be mounted any more. */
export async function withoutLoop(rig: CopyRig): Promise<string> {
  await rig.plant("no-loop", {
    mount: `#!/bin/sh\ncase $* in *loop,*) echo "mount: no loop device" >&2; exit 32 ;; esac\nexec "${sh("command -v mount").trim()}" "$@"\n`,
  });
  return `chmod 755 ${rig.at("no-loop/mount")}; export PATH="${rig.at("no-loop")}:$PATH"`;
}

/** Everything there is to know of each file of a tree: type, mode, owner, links, size, device, time, ACL, attributes, content. */
export function describeTree(directory: string): string {
  return sh(
    `cd "$1"
    find . -mindepth 1 -path ./lost+found -prune -o -printf '%p %y %m %U:%G %n %T@ %l ' -exec stat -c '%t:%T' {} \\; |
      sed -E 's/([0-9]{6,})\\.[0-9]+ /\\1 /' | sort
    stat -c '%a %u:%g %Y' .
    find . -path ./lost+found -prune -o -type f -exec sha256sum {} + | sort
    find . -path ./lost+found -prune -o -print0 | sort -z | xargs -0 getfattr -h -d -m - -e hex -- 2>/dev/null`,
    directory,
  );
}
