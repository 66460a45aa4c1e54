import { execFile } from "node:child_process";
import { join, posix } from "node:path";
import { promisify } from "node:util";
import { Problem } from "../../problem.ts";
import { uuidOf } from "./disk.ts";

/** What QEMU loads in place of a boot loader. */
export type Kernel = { readonly path: string; readonly initrd: string | null; readonly commandLine: string };

type Entry = { readonly kernel: string; readonly initrd: string | null; readonly words: readonly string[] };

const menus = ["/boot/grub/menu.lst", "/boot/grub/grub.conf"];
const maxLinks = 8;

/**
 * Takes kernel and initial RAM disk out of a bare ext file system into a folder, as pv-grub reads them: those of the
 * default entry of its menu, or the newest in /boot.
 */
export async function extractKernel(image: string, folder: string, debugfs: string): Promise<Kernel> {
  const ask = async (request: string): Promise<string> => {
    const { stdout } = await promisify(execFile)(debugfs, ["-R", request, image], { maxBuffer: 1024 * 1024 });
    return stdout;
  };
  const entry = await findEntry(ask);
  const dump = async (from: string, name: string): Promise<string> => {
    await ask(`dump "${await resolveLinks(from, ask)}" "${join(folder, name)}"`);
    return join(folder, name);
  };
  const path = await dump(entry.kernel, "kernel");
  const initrd = entry.initrd === null ? null : await dump(entry.initrd, "initrd");
  // Disks have other names here than in EC2, and only an initial RAM disk knows a root by its UUID.
  const root = initrd === null ? "root=/dev/vda" : `root=UUID=${await uuidOf(image)}`;
  const kept = entry.words.filter((word) => !/^(root|console)=/.test(word));
  return { path, initrd, commandLine: [root, ...kept, "console=ttyS0"].join(" ") };
}

async function findEntry(ask: (request: string) => Promise<string>): Promise<Entry> {
  for (const path of menus) {
    const entry = toMenuEntry(await ask(`cat ${path}`));
    if (entry) return entry;
  }
  const names = (await ask("ls -p /boot")).split("\n").map((line) => line.split("/")[5] ?? "");
  const kernels = names.filter((name) => name.startsWith("vmlinuz-")).sort(byVersion);
  const newest = kernels.at(-1);
  if (newest === undefined) {
    throw new Problem("bundle-invalid", "the image has no kernel that a paravirtual instance could boot", {
      hint: "install a kernel and /boot/grub/menu.lst in it, or make it hvm with a partitioned disk",
    });
  }
  const version = newest.slice("vmlinuz-".length);
  const initrd = [`initrd.img-${version}`, `initramfs-${version}.img`].find((name) => names.includes(name));
  return {
    kernel: `/boot/${newest}`,
    initrd: initrd === undefined ? null : `/boot/${initrd}`,
    words: ["ro", "quiet"],
  };
}

/** The default entry of a GRUB Legacy menu, if it names a kernel. */
export function toMenuEntry(menu: string): Entry | undefined {
  const [head = "", ...entries] = menu.split(/^\s*title\b.*$/m);
  const index = Number(/^\s*default[ =](\d+)/m.exec(head)?.[1] ?? 0);
  const text = entries[index] ?? entries[0] ?? "";
  const [kernel, ...words] = /^\s*kernel\s+(.+)$/m.exec(text)?.[1]?.trim().split(/\s+/) ?? [];
  if (kernel === undefined) return undefined;
  const initrd = /^\s*initrd\s+(\S+)/m.exec(text)?.[1];
  return { kernel: toPath(kernel), initrd: initrd === undefined ? null : toPath(initrd), words };
}

/** Without GRUB's name of the disk, `(hd0)`. */
function toPath(text: string): string {
  return text.replace(/^\(hd\d+(,\d+)?\)/, "");
}

async function resolveLinks(path: string, ask: (request: string) => Promise<string>): Promise<string> {
  let at = path;
  for (let count = 0; count < maxLinks; count += 1) {
    if (!/^\/[\w./+~-]+$/.test(at)) break;
    const told = await ask(`stat "${at}"`);
    const link = /^Fast link dest: "(.+)"$/m.exec(told)?.[1];
    if (link === undefined && /Type: regular/.test(told)) return at;
    if (link === undefined) break;
    at = posix.resolve(posix.dirname(at), link);
  }
  throw new Problem("bundle-invalid", `the image's boot menu names ${path}, which is not there`, {
    hint: "correct /boot/grub/menu.lst in the image",
  });
}

function byVersion(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true });
}
