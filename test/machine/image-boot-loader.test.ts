import { open, readFile } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Copied, type CopyRig, newCopyRig, sh, shells, whyNoDisks } from "../help/volume-copy.ts";

type Table = "gpt" | "mbr" | "none";

const start = 4096;
const rootSectors = 64 * 2048;
const behind = start + rootSectors;
const uefi = "mount -t tmpfs t /sys/firmware && mkdir /sys/firmware/efi";
const types = {
  esp: "C12A7328-F81F-11D2-BA4B-00A0C93EC93B",
  biosBoot: "21686148-6449-6E6F-744E-656564454649",
} as const;
const bare = "or set bundle.partition: none, for a bare file system whose boot you see to yourself";
const elsewhere = `take a source AMI with its boot loader in front of the root, or install one there (grub-install DISK) in a provision step and set bundle.needs: warn; ${bare}`;
const inFront = `take a source AMI whose root is the last partition of its disk; ${bare}`;

describe.skipIf(whyNoDisks !== undefined)(
  `a boot loader that a copy would lose (skipped: ${whyNoDisks})`,
  () => {
    let rig: CopyRig;
    beforeEach(async () => {
      rig = await newCopyRig();
      sh(`mkdir "$1"; mke2fs -q -b 4096 -t ext4 "$2" 64M`, rig.at("root"), rig.at("fs"));
    });
    afterEach(() => rig[Symbol.asyncDispose]());

    test.each(shells)(
      "in the first sector of the root, as extlinux has it, is refused (%s)",
      async (shell) => {
        makeDisk("mbr", []);
        await write("fs", extlinux());
        const why =
          "the first sector of the root file system holds a boot loader, which an image does not keep";
        expect(await look("mbr", { shell })).toEqual(refused(why, elsewhere));
        // Where the BIOS itself begins with it.
        expect(await look("none", { shell })).toEqual(refused(why, elsewhere));
        // A bare file system, whose boot is somebody else's; UEFI does not look there.
        expect((await look("mbr", { shell, words: ["--partition", "none"] })).code).toBe(0);
        expect((await look("mbr", { shell, before: uefi })).code).toBe(0);
        // GRUB at the beginning of the disk does not either, what it has to load lies in front of the root.
        await write("disk", grub({ at: 1 }));
        expect((await look("mbr", { shell })).code).toBe(0);
        await write("disk", grubLegacy({ at: 1 }));
        expect((await look("mbr", { shell })).code).toBe(0);
      },
    );

    test.each(shells)(
      "in files of the root, as GRUB notes them by their sectors, is refused (%s)",
      async (shell) => {
        for (const table of ["gpt", "mbr"] as const) {
          makeDisk(table, []);
          for (const at of [start, behind - 1]) {
            for (const code of [grub({ at }), grubLegacy({ at })]) {
              await write("disk", code);
              const why = `GRUB goes on at sector ${at} of ${rig.at("disk")}, in a file of the root, which lies elsewhere in an image`;
              expect(await look(table, { shell })).toEqual(refused(why, elsewhere));
            }
          }
          await write("disk", grub({ at: start - 1 }));
          expect((await look(table, { shell })).code).toBe(0);
        }
      },
    );

    test.each(shells)(
      "in a partition behind the root is refused, if that is how the machine boots (%s)",
      async (shell) => {
        const why = (name: string): string =>
          `the ${name} of ${rig.at("disk")} lies behind the root, and only what lies in front of it is copied`;
        const esp = refused(why("EFI system partition"), inFront);
        makeDisk("gpt", [
          `start=2048,size=2048,type=${types.biosBoot}`,
          `start=${behind},size=2048,type=${types.esp}`,
        ]);
        expect(await look("gpt", { shell, before: uefi })).toEqual(esp);
        expect((await look("gpt", { shell })).code).toBe(0);
        makeDisk("gpt", [
          `start=2048,size=2048,type=${types.esp}`,
          `start=${behind},size=2048,type=${types.biosBoot}`,
        ]);
        expect(await look("gpt", { shell })).toEqual(refused(why("BIOS boot partition"), inFront));
        expect((await look("gpt", { shell, before: uefi })).code).toBe(0);
        expect((await look("gpt", { shell, words: ["--partition", "none"] })).code).toBe(0);
        makeDisk("mbr", [`start=${behind},size=2048,type=ef`]);
        expect(await look("mbr", { shell, before: uefi })).toEqual(esp);
        expect((await look("mbr", { shell })).code).toBe(0);
      },
    );

    test.each(shells)("beside kernels that are mounted from elsewhere is refused (%s)", async (shell) => {
      const before = `mkdir -p ${rig.at("root/boot")} && mount -t tmpfs t ${rig.at("root/boot")}`;
      const why =
        "/boot, with the kernels, is a file system of its own, which does not lie in front of the root";
      const hint = `take a source AMI with /boot in the root, or in front of it on the same disk; ${bare}`;
      makeDisk("mbr", []);
      for (const table of ["none", "mbr"] as const)
        expect(await look(table, { shell, before })).toEqual(refused(why, hint));
      expect((await look("none", { shell, before, words: ["--partition", "none"] })).code).toBe(0);
    });

    /** A disk with the root's partition at its sector, and with others. */
    function makeDisk(table: "gpt" | "mbr", partitions: readonly string[]): void {
      const label = table === "gpt" ? "gpt" : "dos";
      const root = `start=${start},size=${rootSectors},type=${table === "gpt" ? "L" : "83,bootable"}`;
      const script = [`label: ${label}`, ...partitions, root, ""].join("\n");
      sh(
        `rm -f "$1"; truncate -s 80M "$1"; printf %s "$2" | sfdisk -q --no-tell-kernel "$1"`,
        rig.at("disk"),
        script,
      );
    }

    /** Writes code as installers do, around the table. */
    async function write(name: "fs" | "disk", code: Buffer): Promise<void> {
      await using file = await open(rig.at(name), "r+");
      await file.write(code, 0, name === "fs" ? 512 : 440, 0);
    }

    async function look(
      table: Table,
      { shell = "sh", words = [] as readonly string[], before = ":" },
    ): Promise<Pick<Copied, "code" | "stderr">> {
      const place = table === "none" ? [] : ["--disk", rig.at("disk"), "--start", String(start)];
      const { code, stderr } = await rig.copy(
        ["--check", "yes", "--root", rig.at("root"), ...place, ...words],
        {
          shell,
          before: `mount -o loop ${rig.at("fs")} ${rig.at("root")} && { ${before}; } || exit`,
        },
      );
      expect(await readFile(rig.at("image"), "utf8")).toBe("");
      return { code, stderr };
    }
  },
);

function refused(why: string, hint: string): Pick<Copied, "code" | "stderr"> {
  return { code: 70, stderr: `imgspec-problem: ${why}\nimgspec-hint: ${hint}\n` };
}

/** Beginning, name and signature as syslinux 6 writes them (its ldlinux.asm). */
function extlinux(): Buffer {
  const sector = Buffer.alloc(512, 0x90);
  sector.write("\xeb\x58\x90SYSLINUX", 0, "latin1");
  sector.writeUInt16LE(0xaa55, 510);
  return sector;
}

/** The places of boot.S of GRUB 2. */
function grub({ at }: { readonly at: number }): Buffer {
  const code = Buffer.alloc(440);
  code.write("\xeb\x63\x90", 0, "latin1");
  code.writeBigUInt64LE(BigInt(at), 0x5c);
  code.write("GRUB \0Geom\0Hard Disk\0Read\0 Error", 0x180, "latin1");
  return code;
}

/** The places of stage1.S of GRUB 0.97; what stands at GRUB 2's is code. */
function grubLegacy({ at }: { readonly at: number }): Buffer {
  const code = grub({ at: start });
  code.write("\xeb\x48\x90", 0, "latin1");
  code.write("\x03\x02", 0x3e, "latin1");
  code.writeUInt32LE(at, 0x44);
  return code;
}
