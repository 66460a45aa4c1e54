import { constants } from "node:fs";
import { access, open } from "node:fs/promises";
import { Problem } from "../../problem.ts";
import { diskKindOf } from "./disk.ts";

/** A UEFI: its code, and its variables as they are at first. Without a place for them it would write them into the disk. */
export type Firmware = { readonly code: string; readonly variables: string };

/** Where Debian and Ubuntu, Fedora, and Arch have OVMF. */
const places: readonly Firmware[] = [
  ["/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"],
  ["/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"],
  ["/usr/share/edk2/ovmf/OVMF_CODE.fd", "/usr/share/edk2/ovmf/OVMF_VARS.fd"],
  ["/usr/share/edk2/x64/OVMF_CODE.4m.fd", "/usr/share/edk2/x64/OVMF_VARS.4m.fd"],
].map(([code = "", variables = ""]) => ({ code, variables }));

const sectorBytes = 512;
/** Code in front of the partition table of an MBR. */
const codeBytes = 440;
const tableAt = 446;
const efiInMbr = 0xef;
/** C12A7328-F81F-11D2-BA4B-00A0C93EC93B as it is written: an EFI system partition. */
const efiInGpt = Buffer.from("28732ac11ff8d211ba4b00a0c93ec93b", "hex");
/** What a GPT has at least, and more than it has in practice. */
const minEntryBytes = 128;
const maxEntriesBytes = 1 << 20;

/**
 * The UEFI that a raw image boots by; null: it boots by BIOS, or by a kernel from outside.
 * Throws the Problem `vm-unavailable` where a UEFI is needed and not installed.
 */
export async function firmwareOf(
  disk: string,
  candidates: readonly Firmware[] = places,
): Promise<Firmware | null> {
  if ((await diskKindOf(disk)) !== "disk" || !(await bootsByUefi(disk))) return null;
  for (const firmware of candidates) {
    const found = await Promise.allSettled(
      Object.values(firmware).map((path) => access(path, constants.R_OK)),
    );
    if (found.every(({ status }) => status === "fulfilled")) return firmware;
  }
  throw new Problem("vm-unavailable", `${disk} boots by UEFI, and vm instances need OVMF for that`, {
    hint: "install it: apt-get install --no-install-recommends ovmf",
  });
}

/** A disk with an EFI system partition and nothing for a BIOS to run. With both, the BIOS it is, as in EC2's types for such AMIs. */
async function bootsByUefi(path: string): Promise<boolean> {
  await using file = await open(path, "r");
  const read = async (from: number, count: number): Promise<Buffer> => {
    const bytes = Buffer.alloc(count);
    await file.read(bytes, 0, count, from);
    return bytes;
  };
  const head = await read(0, 2 * sectorBytes);
  if (head.subarray(0, codeBytes).some((byte) => byte !== 0)) return false;
  if ([0, 1, 2, 3].some((index) => head[tableAt + index * 16 + 4] === efiInMbr)) return true;
  const header = head.subarray(sectorBytes);
  if (header.toString("latin1", 0, 8) !== "EFI PART") return false;
  // UEFI specification, 5.3.2: where the entries begin, how many there are, and of how many bytes.
  const entryBytes = Math.max(minEntryBytes, header.readUInt32LE(84));
  const size = Math.min(maxEntriesBytes, header.readUInt32LE(80) * entryBytes);
  const entries = await read(Number(header.readBigUInt64LE(72)) * sectorBytes, size);
  for (let at = 0; at + minEntryBytes <= size; at += entryBytes)
    if (entries.subarray(at, at + efiInGpt.length).equals(efiInGpt)) return true;
  return false;
}
