import { join } from "node:path";
import type { CopyMethod } from "./boot-script.ts";
import type { IdMap } from "./id-map.ts";
import { ownFolder, removeFolder } from "./instance-folder.ts";
import { runMapped } from "./user-namespace.ts";

/** The operations that a layer must be able to do, tried: kernels and the file system below decide (overlayfs, Linux 5.11). */
const trial = `set -e
cd -P "$1"
mkdir lower lower/folder upper work root
echo before >lower/file
echo inner >lower/folder/inner
mount -c -t overlay -o userxattr,lowerdir=lower,upperdir=upper,workdir=work overlay root
rm -r root/folder
mkdir root/folder
mv root/file root/moved
echo after >root/file
[ "$(cat root/moved root/file lower/file)" = "$(printf 'before\\nafter\\nbefore')" ]
[ -z "$(ls root/folder)" ]
[ -e lower/folder/inner ]
`;

/** The quickest way to a private copy of a tree that works for folders under `home`. */
export async function findCopyMethod(idMap: IdMap, home: string): Promise<CopyMethod> {
  const folder = join("instances", ownFolder("trial"));
  const command = ["/bin/sh", "-c", `mkdir -- "$1"; unshare --mount /bin/sh -c "$2" sh "$1"`];
  const { code } = await runMapped(idMap, [...command, "sh", folder, trial], home);
  await removeFolder(idMap, home, folder);
  return code === 0 ? "overlay" : "copy";
}
