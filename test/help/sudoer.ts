import { execFileSync } from "node:child_process";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { join } from "node:path";
import { haveSshd, type Sshd, startSshd } from "./sshd.ts";

export const password = "pass word's $(id) \\";

/** Whether an sshd can be given accounts of its own: as root, with a mount namespace, sudo and openssl. */
export const canHaveSudoers: boolean = haveSshd && userInfo().uid === 0 && works();

/**
 * An sshd whose user `builder` is no root; sudo does what these lines of sudoers say. Its accounts are seen by nobody
 * else: they are mounted over those of this machine in a mount namespace.
 */
export function startSudoerSshd(sudoers: readonly string[]): Promise<Sshd> {
  return startSshd([], { user: "builder", inside: (directory) => makeAccounts(directory, sudoers) });
}

async function makeAccounts(directory: string, sudoers: readonly string[]): Promise<readonly string[]> {
  const at = (name: string): string => join(directory, name);
  const hash = execFileSync("openssl", ["passwd", "-6", "-stdin"], { input: password, encoding: "utf8" });
  await mkdir(at("home"), { recursive: true });
  execFileSync("chown", ["4711:4711", at("home")]);
  const files = {
    passwd: `builder:x:4711:4711::${at("home")}:/bin/sh\n`,
    group: "builder:x:4711:\n",
    shadow: `builder:${hash.trim()}:20000:0:99999:7:::\n`,
  };
  for (const [name, line] of Object.entries(files)) {
    await writeFile(at(name), `${await readFile(`/etc/${name}`, "utf8")}${line}`);
  }
  await chmod(at("shadow"), 0o600);
  await writeFile(at("sudoers"), `${["root ALL=(ALL) ALL", ...sudoers].join("\n")}\n`, { mode: 0o440 });
  // sshd reads the keys of a user as that user.
  await chmod(directory, 0o755);
  const mounts = [...Object.keys(files), "sudoers"].map((name) => `mount --bind ${at(name)} /etc/${name}`);
  return ["unshare", "--mount", "sh", "-c", `${mounts.join(" && ")} && exec "$@"`, "sh"];
}

function works(): boolean {
  try {
    const script = "mount --bind /etc/passwd /etc/passwd && command -v sudo openssl script";
    execFileSync("unshare", ["--mount", "sh", "-c", script], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
