import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { join } from "node:path";

/** Where programs are looked for, on this machine and in an instance; a PATH of the caller does not count. */
export const toolPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The absolute path of a program of this machine's own distribution, or `undefined`. */
export async function findTool(name: string): Promise<string | undefined> {
  for (const folder of ["/usr/sbin", "/usr/bin", "/sbin", "/bin"]) {
    const path = join(folder, name);
    if (await canRun(path)) return path;
  }
  return undefined;
}

async function canRun(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
