import { userInfo } from "node:os";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { checkImageTools } from "../../src/machine/root-image.ts";
import { connect } from "../../src/machine/ssh.ts";
import { haveSshd, startSshd } from "../help/sshd.ts";
import { type CopyRig, newCopyRig, sh, shells, whyNoDisks, works } from "../help/volume-copy.ts";

const check = ["--check", "yes"];
const haveBtrfs = works("command -v mkfs.btrfs && grep -w btrfs /proc/filesystems");

describe.skipIf(whyNoDisks !== undefined)(
  `what an image needs is asked first (skipped: ${whyNoDisks})`,
  () => {
    let rig: CopyRig;
    beforeEach(async () => {
      rig = await newCopyRig();
      sh(`mkdir "$1"; mke2fs -q -b 4096 -t ext4 "$2" 64M`, rig.at("root"), rig.at("fs"));
    });
    afterEach(() => rig[Symbol.asyncDispose]());

    test.each(shells)(
      "every tool that is missing is named with its package, and nothing is made (%s)",
      async (shell) => {
        const hide = `for tool in mke2fs debugfs; do
      for place in /sbin /usr/sbin; do [ ! -e "$place/$tool" ] || mount --bind /dev/null "$place/$tool"; done; done`;
        const { code, stderr } = await onRoot(hide, check, shell);
        expect([code, stderr]).toEqual([
          69,
          "imgspec-missing: mke2fs (e2fsprogs)\nimgspec-missing: debugfs (e2fsprogs)\n",
        ]);
      },
    );

    test.each([
      ["a read-only root", `mount -o remount,ro ${"$ROOT"}`, "the root is mounted read-only"],
      [
        "a directory of a file system",
        `mkdir $ROOT/d; mount --bind $ROOT/d $ROOT`,
        "the root is the directory /d of its file system",
      ],
      ["memory", `umount $ROOT; mount -t tmpfs t $ROOT`, "the root is tmpfs, which cannot be copied"],
    ])("%s is refused with the way out", async (_what, change, why) => {
      const { code, stderr } = await onRoot(change.replaceAll("$ROOT", rig.at("root")), check);
      expect(code).toBe(70);
      expect(stderr).toContain(`imgspec-problem: ${why}`);
      expect(stderr).toMatch(/^imgspec-hint: .+$/m);
      expect(stderr).not.toContain("imgspec-image");
    });

    test.skipIf(!haveBtrfs)(
      "btrfs (skipped without it) is refused with the way out, and becomes ext4 where a bare file system is asked for",
      async () => {
        const change = `umount ${rig.at("root")}; mount -t btrfs -o loop ${rig.at("btrfs")} ${rig.at("root")}; mkdir ${rig.at("root")}/etc`;
        sh(`truncate -s 200M "$1"; mkfs.btrfs -q "$1"`, rig.at("btrfs"));
        const { code, stderr } = await onRoot(change, check);
        expect([code, stderr]).toEqual([
          70,
          expect.stringContaining("imgspec-problem: the root is btrfs, which cannot be"),
        ]);
        const none = await onRoot(change, ["--partition", "none", "--fstab", "generate"]);
        expect(none.code, none.stderr).toBe(0);
        sh(`e2fsck -fn "$1"`, rig.at("image"));
      },
    );

    test("a table that the disk does not have is refused", async () => {
      const { code, stderr } = await onRoot(":", [...check, "--partition", "gpt"]);
      expect([code, stderr]).toEqual([
        70,
        expect.stringContaining(
          "problem: bundle.partition is gpt, and the disk of the root has no partition table",
        ),
      ]);
    });

    test("no room is told before anything is made", async () => {
      sh(
        `dd if=/dev/urandom of="$2/big" bs=1M count=30; mkdir -p "$2/m"; mount -o loop "$1" "$2/m"; cp "$2/big" "$2/m"; umount "$2/m"`,
        rig.at("fs"),
        rig.at(),
      );
      const { code, stderr } = await onRoot(":", [...check, "--size", "20"]);
      expect([code, stderr]).toEqual([
        73,
        expect.stringContaining(
          "no-room: the files take 31 MiB already, the image is to have 20 MiB at most",
        ),
      ]);
    });

    test("no scratch room is told, with how much it takes and how much there is", async () => {
      const before = `mount --make-rprivate / && mount --move ${rig.at("root")} /media
      for place in /mnt /var/tmp /tmp; do mount -t tmpfs -o size=8M t $place; done; mkdir -p ${rig.at()}; unset TMPDIR`;
      const { code, stderr } = await onRoot(before, [...check, "--root", "/media"]);
      expect([code, stderr]).toEqual([
        73,
        expect.stringMatching(/imgspec-no-room: no directory has 3\d MiB free for the image, \d MiB at most/),
      ]);
    });

    test.each([
      ["dm", "LVM-abc", "a logical volume (LVM)"],
      ["dm", "CRYPT-LUKS2-abc", "encrypted (LUKS)"],
      ["md", "", "a RAID array"],
    ])("a root on %s %s is refused", async (kind, uuid, what) => {
      // The kernel's account of the device, where this machine may have no device mapper.
      const before = `number=$(mountpoint -d ${rig.at("root")}); mount -t tmpfs t /sys/dev/block
      mkdir -p "/sys/dev/block/$number/${kind}"; echo "${uuid}" >"/sys/dev/block/$number/${kind}/uuid"`;
      const { code, stderr } = await onRoot(before, check);
      expect([code, stderr]).toEqual([
        70,
        expect.stringContaining(`imgspec-problem: the root is ${what}\nimgspec-hint: `),
      ]);
    });

    test("a machine that has it all passes, and what table the image will have is told", async () => {
      expect(await onRoot(":", check)).toMatchObject({ code: 0, stderr: "imgspec-table: none\n" });
    });

    function onRoot(change: string, words: readonly string[], shell = "sh"): ReturnType<CopyRig["copy"]> {
      const before = `mount -o loop ${rig.at("fs")} ${rig.at("root")} || exit\n${change}`;
      return rig.copy(["--root", rig.at("root"), ...words], { shell, before });
    }
  },
);

test.skipIf(!haveSshd || userInfo().uid !== 0)(
  "over SSH all that is wrong is one problem (skipped unless root and with sshd)",
  async () => {
    await using sshd = await startSshd();
    const signal = AbortSignal.timeout(60_000);
    await using machine = await connect(sshd.address, { signal, timeoutMs: 20_000 });
    const request = {
      partition: "gpt" as const,
      sizeMib: null,
      exclude: [],
      include: [],
      fstab: "keep" as const,
      hygiene: {},
      allow: [],
      hook: null,
      forgetKey: "ssh-ed25519 AAAABUILD imgspec",
      root: "/proc",
      sudo: true,
      log: () => undefined,
    };
    await expect(checkImageTools(machine, request, signal)).rejects.toMatchObject({
      code: "bundle-invalid",
      message: expect.stringMatching(
        /the root is proc, which cannot .*\n {2}.*bundle.partition is gpt, and the disk of the root has no/,
      ),
      hint: expect.stringContaining("bundle.partition: none"),
    });
  },
);
