import { spawn } from "node:child_process";
import { constants } from "node:fs";
import { access, mkdir, readFile, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

/** `tcg` computes every instruction: it works everywhere, at a tenth of the speed. */
export type Accelerator = "kvm" | "tcg";

/** An emulated BIOS comes to its end within half a second, so a processor that takes longer is no gain. */
const deadlineMs = 3000;

/**
 * KVM where a BIOS that runs on it comes to its end in time: /dev/kvm may be there and hang, as inside of other
 * virtual machines. What was found is remembered until the machine boots again.
 */
export async function findAccelerator(qemu: string): Promise<Accelerator> {
  try {
    await access("/dev/kvm", constants.R_OK | constants.W_OK);
  } catch {
    return "tcg";
  }
  const bootId = (await readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => "")).trim();
  const folder = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "imgspec");
  const path = join(folder, "accelerator");
  const known = /^(\S+) (kvm|tcg)$/m.exec(await readFile(path, "utf8").catch(() => ""));
  if (known && known[1] === bootId) return known[2] === "kvm" ? "kvm" : "tcg";
  const found = (await bootsWith("kvm", qemu, deadlineMs)) ? "kvm" : "tcg";
  // Without a home it is tried each time.
  await mkdir(folder, { recursive: true })
    .then(() => writeFile(path, `${bootId} ${found}\n`))
    .catch(() => undefined);
  return found;
}

/** Whether the BIOS of a machine without a disk says in time that it found none; SeaBIOS tells it at port 0x402. */
export async function bootsWith(accelerator: Accelerator, qemu: string, withinMs: number): Promise<boolean> {
  const child = spawn(
    qemu,
    [
      ...["-M", "pc", "-accel", accelerator, "-m", "64", "-nodefaults", "-display", "none"],
      ...["-debugcon", "stdio", "-global", "isa-debugcon.iobase=0x402"],
    ],
    { stdio: ["ignore", "pipe", "ignore"] },
  );
  return new Promise((resolve) => {
    const end = (boots: boolean): void => {
      clearTimeout(timer);
      child.kill("SIGKILL");
      resolve(boots);
    };
    const timer = setTimeout(() => end(false), withinMs);
    let said = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      if (said.includes("No bootable device")) end(true);
    });
    child.once("error", () => end(false));
    child.once("close", () => end(false));
  });
}
