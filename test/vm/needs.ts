import { access, constants } from "node:fs/promises";
import { findTool } from "../../src/emulator/sandbox/tool.ts";

const commands: Readonly<Record<string, string>> = {
  "qemu-system-x86_64": "qemu-system-x86",
  mmdebstrap: "mmdebstrap",
  "grub-mkimage": "grub-common",
  sfdisk: "fdisk",
  mformat: "mtools",
  mke2fs: "e2fsprogs",
  getfattr: "attr",
};
const files: Readonly<Record<string, string>> = {
  "/usr/lib/grub/i386-pc/boot.img": "grub-pc-bin",
  "/usr/lib/grub/x86_64-efi/linux.mod": "grub-efi-amd64-bin",
  "/usr/share/OVMF": "ovmf",
};

/** What keeps the tests with virtual machines from running here, as the reason why they are skipped. */
export async function whyNot(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return "only root can install a Debian with its owners and devices";
  const missing: string[] = [];
  for (const [command, from] of Object.entries(commands)) {
    if ((await findTool(command)) === undefined) missing.push(from);
  }
  for (const [path, from] of Object.entries(files))
    await access(path, constants.R_OK).catch(() => missing.push(from));
  return missing.length === 0 ? undefined : `they need: apt-get install ${missing.join(" ")}`;
}
