import { open, readdir, readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { copyDisk, extract, identityOf, type Layout, makeDisk } from "../help/partitioned-disk.ts";
import {
  type Copied,
  type CopyRig,
  describeTree,
  newCopyRig,
  sh,
  shells,
  whyNoDisks,
  withoutLoop,
  works,
} from "../help/volume-copy.ts";

const sector = 512;
const layouts: readonly Layout[] = [
  { table: "gpt", start: 16_384, fileSystem: "ext4" },
  // Where the tools of before 2010 began, and not a whole MiB.
  { table: "mbr", start: 6_177, fileSystem: "ext3" },
];

const haveXfs = works("command -v mkfs.xfs && { modprobe -q xfs || :; } && grep -w xfs /proc/filesystems");

describe.skipIf(whyNoDisks !== undefined)(`an image of a partitioned disk (skipped: ${whyNoDisks})`, () => {
  let rig: CopyRig;

  beforeAll(async () => {
    rig = await newCopyRig();
    await rig.plant("tree", {
      "etc/hostname": "golden\n",
      "bin/tool": "#!/bin/sh\n",
      "home/.hidden": "dot\n",
    });
    sh(
      `cd "$1"; ln etc/hostname etc/same; mkfifo pipe; mknod null c 1 3; mknod far b 300 70000; ln -s ../nowhere link
      chown 70000:80000 home; chmod 2751 home; chmod 4755 bin/tool; setcap cap_net_raw+ep bin/tool
      setfacl -m u:1000:rw etc/hostname; setfacl -d -m g:55:rx home; setfattr -n user.note -v kept etc/hostname
      setfattr -h -n trusted.note -v kept link; truncate -s 5M sparse; echo end >>sparse
      python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("socket")'
      mkdir sub; chmod 1711 sub; chmod 750 .`,
      rig.at("tree"),
    );
    for (const layout of layouts) makeDisk(rig, layout);
  });
  afterAll(() => rig[Symbol.asyncDispose]());

  for (const layout of layouts) {
    for (const shell of shells) {
      test(`${layout.table} with ${layout.fileSystem}, by ${shell}: table, boot area and files are the source's`, async () => {
        const copied = await copyDisk(rig, layout, { shell });
        expect(copied.code, copied.stderr).toBe(0);
        expect(copied.stderr).toContain("left out of the image: 1 partition(s) behind the root");
        await holdsDisk(rig, layout, copied);
      }, 60_000);
    }
  }

  test.each(layouts)(
    "is filled by mke2fs where nothing can be mounted by a loop device ($table with $fileSystem)",
    async (layout) => {
      const copied = await copyDisk(rig, layout, { before: await withoutLoop(rig) });
      expect(copied.code, copied.stderr).toBe(0);
      await holdsDisk(rig, layout, copied);
    },
    60_000,
  );

  test("has the size that was asked for, table and boot area included", async () => {
    for (const layout of layouts) {
      const copied = await copyDisk(rig, layout, { words: ["--size", "123", "--partition", layout.table] });
      expect(copied.code, copied.stderr).toBe(0);
      expect((await readFile(copied.path)).length).toBe(123 << 20);
      await holdsDisk(rig, layout, copied);
    }
  }, 60_000);

  test("has the disk that the kernel says is the root's", async () => {
    for (const layout of layouts) {
      const [disk, root] = [rig.at(`disk.${layout.table}`), rig.at("root")];
      // As the kernel tells of partitions, which it may not look for on loop devices here.
      const before = `mkdir -p ${root}; whole=$(losetup -f --show -r ${disk}); trap 'losetup -d "$whole"' EXIT
        mount -o loop ${rig.at(`fs.${layout.table}`)} ${root} || exit; number=$(mountpoint -d ${root})
        mount -t tmpfs t /sys/dev/block; cd /sys/dev/block; mkdir -p whole/part whole/queue; ln -s whole/part "$number"
        stat -c %t:%T "$whole" | { IFS=: read -r major minor; echo "$((0x$major)):$((0x$minor))"; } >whole/dev
        echo "DEVNAME=\${whole#/dev/}" >whole/uevent; echo 512 >whole/queue/logical_block_size
        echo 2 >whole/part/partition; echo ${layout.start} >whole/part/start; cd /`;
      const copied = await rig.copy(["--root", root], { before });
      expect(copied.code, copied.stderr).toBe(0);
      await holdsDisk(rig, layout, copied);
    }
  }, 60_000);

  test("is refused when another table is asked for than the disk has", async () => {
    const [gpt] = layouts;
    if (!gpt) throw new Error("no layout");
    const { code, stderr } = await copyDisk(rig, gpt, { words: ["--partition", "mbr"] });
    expect([code, stderr.split("\n")[0]]).toEqual([
      70,
      `imgspec-problem: bundle.partition is mbr, and the disk of the root has a GPT (${rig.at("disk.gpt")})`,
    ]);
  });

  test("is refused when no entry of the table is the root's", async () => {
    for (const layout of layouts) {
      const { code, stderr } = await copyDisk(rig, { ...layout, start: layout.start + 8 });
      expect([code, stderr]).toEqual([
        70,
        expect.stringMatching(/imgspec-problem: .*(sector 16392|logical partition)/),
      ]);
    }
  });

  test("is a bare file system with the same UUID and label when that is asked for", async () => {
    const [gpt] = layouts;
    if (!gpt) throw new Error("no layout");
    const { code, stderr, path } = await copyDisk(rig, gpt, { words: ["--partition", "none"] });
    expect(code, stderr).toBe(0);
    expect(identityOf(path)).toBe(identityOf(rig.at("fs.gpt")));
    sh(`e2fsck -fn "$1"`, path);
  });

  test("is refused when it would be larger than EC2 takes, before anything is made", async () => {
    const [gpt] = layouts;
    if (!gpt) throw new Error("no layout");
    const { code, stderr } = await copyDisk(rig, gpt, { words: ["--size", "10241"] });
    expect([code, stderr]).toEqual([73, expect.stringContaining("EC2 takes 10240 MiB")]);
  });
});

describe.skipIf(whyNoDisks !== undefined || !haveXfs)(
  "an image of a disk with xfs (skipped without xfs)",
  () => {
    const layout: Layout = { table: "gpt", start: 16_384, fileSystem: "xfs" };

    test("has an xfs of the same UUID, label and features with the same files", async () => {
      await using rig = await newCopyRig();
      await rig.plant("tree", { "etc/hostname": "golden\n", "bin/tool": "#!/bin/sh\n", "tmp/left": "over" });
      sh(
        `cd "$1"; ln etc/hostname etc/same; chmod 4755 bin/tool; setcap cap_net_raw+ep bin/tool; mknod null c 1 3
      setfacl -m u:1000:rw etc/hostname; setfattr -n user.note -v kept etc/hostname; truncate -s 5M sparse`,
        rig.at("tree"),
      );
      makeDisk(rig, layout);
      const copied = await copyDisk(rig, layout, { words: ["--exclude", "/tmp/*"] });
      expect(copied.code, copied.stderr).toBe(0);
      sh(`sgdisk --verify "$1" | grep -q 'No problems found'`, copied.path);
      await extract(rig, layout, copied.path);
      sh(`xfs_repair -n "$1"`, rig.at("out.fs"));
      expect(identityOf(rig.at("out.fs"))).toBe(identityOf(rig.at("fs.gpt")));
      sh(
        `mkdir "$1" "$2"; mount -o loop,nouuid "$3" "$1"; mount -o loop,nouuid "$4" "$2"; rm "$1/tmp/left"; touch -d @5 "$1/tmp" "$2/tmp"`,
        rig.at("a"),
        rig.at("b"),
        rig.at("fs.gpt"),
        rig.at("out.fs"),
      );
      expect(describeTree(rig.at("b"))).toBe(describeTree(rig.at("a")));
    }, 60_000);

    test("leaves nothing where it was made when it could not be made", async () => {
      await using rig = await newCopyRig();
      await rig.plant("tree", { "etc/hostname": "golden\n" });
      makeDisk(rig, layout);
      await rig.plant("bin", { "mkfs.xfs": "#!/bin/sh\necho broken; exit 1\n" });
      const before = `chmod 755 ${rig.at("bin/mkfs.xfs")}
        for place in /sbin /usr/sbin; do mount --bind ${rig.at("bin/mkfs.xfs")} $place/mkfs.xfs 2>/dev/null; done; :`;
      const { code, stderr } = await copyDisk(rig, layout, { before });
      expect([code, stderr]).toEqual([
        70,
        expect.stringContaining("broken\nimgspec-problem: mkfs.xfs could not make the file system\n"),
      ]);
      expect((await readdir(rig.at())).filter((name) => name.startsWith(".imgspec"))).toEqual([]);
    }, 60_000);
  },
);

async function holdsDisk(rig: CopyRig, layout: Layout, { path, stderr }: Copied): Promise<void> {
  const { table, start } = layout;
  const image = await readFile(path);
  expect(stderr).toContain(`imgspec-image: size=${image.length}\n`);
  expect(sh(`sfdisk --verify "$1" 2>&1`, path)).toContain("No errors detected");
  if (table === "gpt") expect(sh(`sgdisk --verify "$1"`, path)).toContain("No problems found");

  // Only what names sizes may differ: in the MBR the entry of the root or of the whole, in the GPT header and entries.
  const before = await readBytes(rig.at(`disk.${table}`), start * sector);
  const after = image.subarray(0, start * sector);
  const [from, to] = table === "gpt" ? [446, 34 * sector] : [446, 510];
  expect(after.subarray(0, from).equals(before.subarray(0, from))).toBe(true);
  expect(after.subarray(to).equals(before.subarray(to))).toBe(true);
  expect(listOf(path)).toEqual(listOf(rig.at(`disk.${table}`)).slice(0, -1));

  await extract(rig, layout, path);
  const fs = rig.at("out.fs");
  sh(`e2fsck -fn "$1"`, fs);
  expect(identityOf(fs)).toBe(identityOf(rig.at(`fs.${table}`)));
  sh(
    `mkdir -p "$1" "$2"; mount -o loop "$3" "$1"; mount -o loop "$4" "$2"`,
    rig.at("a"),
    rig.at("b"),
    rig.at(`fs.${table}`),
    fs,
  );
  try {
    const expected = describeTree(rig.at("a"))
      .split("\n")
      .filter((line) => !line.startsWith("./socket "));
    expect(describeTree(rig.at("b")).split("\n")).toEqual(expected);
  } finally {
    sh(`umount "$1" "$2"`, rig.at("a"), rig.at("b"));
  }
}

/** The partitions without their sizes: start, type, and what a GPT has beside. */
function listOf(path: string): readonly string[] {
  const lines = sh(`sfdisk -d "$1"`, path)
    .split("\n")
    .filter((line) => line.includes("start="));
  return lines.map((line) => line.replace(/^.*: /, "").replace(/size= *\d+, /, ""));
}

async function readBytes(path: string, count: number): Promise<Buffer> {
  await using file = await open(path);
  const { buffer } = await file.read(Buffer.alloc(count), 0, count, 0);
  return buffer;
}
