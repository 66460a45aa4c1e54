import { access, constants } from "node:fs/promises";
import { findTool } from "../../src/emulator/sandbox/tool.ts";

const commands: Readonly<Record<string, string>> = {
  "qemu-system-x86_64": "qemu-system-x86",
  mmdebstrap: "mmdebstrap",
  "grub-mkimage": "grub-common",
  sfdisk: "fdisk",
  mke2fs: "e2fsprogs",
  getfattr: "attr",
};
const grub = "/usr/lib/grub/i386-pc/boot.img";

/** What keeps the tests with virtual machines from running here, as the reason why they are skipped. */
export async function whyNot(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return "only root can install a Debian with its owners and devices";
  const missing: string[] = [];
  for (const [command, from] of Object.entries(commands)) {
    if ((await findTool(command)) === undefined) missing.push(from);
  }
  if (
    await access(grub, constants.R_OK).then(
      () => false,
      () => true,
    )
  )
    missing.push("grub-pc-bin");
  return missing.length === 0 ? undefined : `they need: apt-get install ${missing.join(" ")}`;
}
