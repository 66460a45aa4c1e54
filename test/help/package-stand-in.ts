import { spawnSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Behaves as dnf(8), yum(8), zypper(8), apk(8) and rpm(8) are documented to, as far as the program goes: it writes down what
 * it is told, and keeps a list of `name version`. What is called `forgotten` it is content with, and does not install.
 */
const program = `#!/bin/sh
me=\${0##*/} home=\${0%/bin/*}
touch "$home/installed"
case "$me $*" in
rpm*--whatprovides*) exit 1 ;;
rpm*) for name; do :; done; set -- query "$name" ;;
"apk info"*) for name; do :; done; set -- query "$name" ;;
*) echo "$me $*" >>"$home/commands" ;;
esac
if [ "$1" = query ]; then
  version=$(sed -n "s/^$2 //p" "$home/installed")
  [ -n "$version" ] || exit 1
  case $me in apk) echo "$2-$version" ;; *) echo "$version" ;; esac
  exit 0
fi
verb=
for word; do
  case $word in
  -* | [0-9]*) ;;
  install | add | remove | del | update | upgrade | clean | refresh) verb=$word ;;
  *)
    case $word in
    *=*) name=\${word%%=*} version=\${word#*=} ;;
    *-[0-9]*) name=\${word%%-[0-9]*} version=\${word#*-} ;;
    *) name=$word version=1.0-r0 ;;
    esac
    sed -i "/^$name /d" "$home/installed"
    case $verb:$name in
    *:forgotten) ;;
    install:* | add:*) echo "$name $version" >>"$home/installed" ;;
    esac ;;
  esac
done
`;

const tools = ["sh", "sed", "grep", "mktemp", "rm", "tee", "cat", "sleep", "touch"];

export type PackageStandIn = AsyncDisposable & {
  run(program: string): Promise<{ readonly code: number | null; readonly stdout: string }>;
  commands(): Promise<readonly string[]>;
};

/** A PATH with one package manager alone, with these packages installed. */
export async function newPackageStandIn(
  manager: string,
  installed: readonly string[],
): Promise<PackageStandIn> {
  const directory = await mkdtemp(join(tmpdir(), "imgspec-packages-"));
  const path = join(directory, "bin");
  await mkdir(path);
  for (const tool of tools) await symlink(`/usr/bin/${tool}`, join(path, tool));
  for (const name of [manager, ...(manager === "apk" ? [] : ["rpm"])]) {
    await writeFile(join(path, name), program);
    await chmod(join(path, name), 0o755);
  }
  await writeFile(join(directory, "installed"), installed.map((name) => `${name} 1.0-r0\n`).join(""));
  return {
    run: (text) => {
      const { status, stdout } = spawnSync("/bin/sh", ["-s"], {
        input: text,
        env: { PATH: path, TMPDIR: directory },
        encoding: "utf8",
      });
      return Promise.resolve({ code: status, stdout });
    },
    commands: async () => (await readFile(join(directory, "commands"), "utf8")).trimEnd().split("\n"),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}
