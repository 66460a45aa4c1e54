import { type Copied, type CopyRig, sh } from "./volume-copy.ts";

/** Where the root begins, sectors, and what it is. */
export type Layout = { readonly table: "gpt" | "mbr"; readonly start: number; readonly fileSystem: string };

/** `before`: shell commands that run when the root is mounted. */
type CopyOptions = {
  readonly shell?: string;
  readonly words?: readonly string[];
  readonly before?: string;
};

/** A disk as installers make them: boot loader's bytes, a partition in front of the root, one behind it. */
export function makeDisk(rig: CopyRig, { table, start, fileSystem }: Layout): void {
  const [disk, fs] = [rig.at(`disk.${table}`), rig.at(`fs.${table}`)];
  const size = fileSystem === "xfs" ? 320 : 96;
  const parts =
    table === "gpt"
      ? `label: gpt\nstart=2048,size=2048,type=21686148-6449-6E6F-744E-656564454649
start=4096,size=8192,type=U\nstart=${start},size=${size}M,type=L\nstart=${start + size * 2048},size=8192,type=S\n`
      : `label: dos\nstart=63,size=4000,type=c\nstart=${start},size=${size}M,type=83,bootable\nstart=${start + size * 2048},size=8192,type=82\n`;
  const fill =
    fileSystem === "xfs"
      ? `mkfs.xfs -q -L root "$2"; mkdir -p "$2.d"; mount -o loop "$2" "$2.d"; cp -a "$1/." "$2.d"; umount "$2.d"`
      : `mke2fs -q -b 4096 -t ${fileSystem} -L root -d "$1" "$2"
        mkdir -p "$2.d"; mount -o loop "$2" "$2.d"; chmod 750 "$2.d"; touch -d @1000000000 "$2.d"; umount "$2.d"`;
  const room = table === "gpt" ? "seek=34 count=16300" : "seek=1 count=6176";
  sh(
    `truncate -s ${size}M "$2"; ${fill}; truncate -s ${size + 40}M "$3"
    dd if=/dev/urandom of="$3" ${room} conv=notrunc; dd if=/dev/urandom of="$3" bs=440 count=1 conv=notrunc
    printf '${parts.replaceAll("\n", "\\n")}' | sfdisk -q --no-tell-kernel --wipe never "$3"
    dd if="$2" of="$3" bs=512 seek=${start} conv=notrunc`,
    rig.at("tree"),
    fs,
    disk,
  );
}

/** Copies the root as if it ran from the disk: the file system is mounted, something is mounted in it. */
export async function copyDisk(
  rig: CopyRig,
  { table, start }: Layout,
  { shell = "sh", words = [], before = ":" }: CopyOptions = {},
): Promise<Copied> {
  const root = rig.at("root");
  const mounting = `mkdir -p ${root}; mount -o loop ${rig.at(`fs.${table}`)} ${root} || exit
    [ ! -d ${root}/sub ] || { mount -t tmpfs t ${root}/sub && touch ${root}/sub/inside; }`;
  const disk = ["--root", root, "--disk", rig.at(`disk.${table}`), "--start", String(start)];
  return rig.copy([...disk, ...words], { shell, before: `${mounting}\n${before}` });
}

/** Type, UUID, label and features of a file system. */
export function identityOf(path: string): string {
  const lines = sh(
    `blkid -p -o export -s UUID -s LABEL -s TYPE "$1" | grep -v DEVNAME; tune2fs -l "$1" 2>/dev/null | grep -e 'Filesystem features' -e 'Inode size' || :`,
    path,
  );
  // The first: mounted and not cleanly left; the second: newer than what an image is to need.
  return lines.replace(/ needs_recovery| orphan_file| metadata_csum_seed/g, "");
}

/** Takes the root file system out of an image, into out.fs. */
export async function extract(
  rig: CopyRig,
  { table, start, fileSystem }: Layout,
  path: string,
): Promise<void> {
  const index = fileSystem === "ext3" || table === "mbr" ? 2 : 3;
  const size = sh(
    `sfdisk -d "$1" | grep start= | sed -n ${index}p | sed 's/.*size= *\\([0-9]*\\).*/\\1/'`,
    path,
  ).trim();
  sh(`rm -f "$2"; dd if="$1" of="$2" bs=512 skip=${start} count=${size}`, path, rig.at("out.fs"));
}
