import { existsSync, readFileSync } from "node:fs";
import { Problem } from "../../problem.ts";
import { neededCommands } from "./base-commands.ts";
import type { IdMap } from "./id-map.ts";
import { findTool } from "./tool.ts";
import { runMapped } from "./user-namespace.ts";

/** Mounts of the kinds that an instance is made of, in the namespaces that it has. */
const trial = `mount --make-rprivate / && mount -t tmpfs trial /proc && umount /proc && mount -t proc proc /proc`;

/** Throws the Problem `sandbox-unavailable`, with what to do, unless instances can run here. */
export async function check(idMap: IdMap): Promise<void> {
  const missing: string[] = [];
  for (const [command, from] of Object.entries(neededCommands)) {
    if ((await findTool(command)) === undefined) missing.push(`${command} (${from})`);
  }
  if (missing.length > 0) {
    throw new Problem("sandbox-unavailable", `sandbox instances need ${missing.join(", ")}`, {
      hint: `install what is missing: apt-get install ${packagesOf(missing).join(" ")}`,
    });
  }
  const separate = ["unshare", "--mount", "--pid", "--uts", "--ipc", "--net", "--fork"];
  const why = await runMapped(idMap, [...separate, "/bin/sh", "-c", trial], "/").then(
    ({ code, stderr }) => (code === 0 ? undefined : stderr.trim().split("\n").at(-1)),
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  if (why !== undefined) {
    throw new Problem("sandbox-unavailable", `sandbox instances cannot run here: ${why}`, { hint: toHint() });
  }
}

/** Throws where there are no namespaces at all; to be asked before anything else. */
export function checkPlatform(): void {
  if (process.platform === "linux") return;
  throw new Problem("sandbox-unavailable", `sandbox instances need Linux, and this is ${process.platform}`, {
    hint: "run imgspec on Linux, for example in a virtual machine or in a container with --privileged",
  });
}

/** The switches that turn user namespaces off, in the order in which they hit. */
function toHint(): string {
  if (settingOf("user/max_user_namespaces") === "0") {
    return "user namespaces are switched off: sudo sysctl -w user.max_user_namespaces=15000";
  }
  if (process.getuid?.() !== 0 && settingOf("kernel/unprivileged_userns_clone") === "0") {
    return "user namespaces are for root only: sudo sysctl -w kernel.unprivileged_userns_clone=1, or run as root";
  }
  if (process.getuid?.() !== 0 && settingOf("kernel/apparmor_restrict_unprivileged_userns") === "1") {
    return "AppArmor restricts user namespaces: sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or run as root";
  }
  if (inContainer()) {
    return "this container may not make namespaces: start it with --privileged, or run imgspec on the host";
  }
  return "the kernel, or a security module, refuses user namespaces: try as root, or another machine";
}

function inContainer(): boolean {
  return (
    existsSync("/.dockerenv") || existsSync("/run/.containerenv") || existsSync("/run/systemd/container")
  );
}

function settingOf(name: string): string | undefined {
  try {
    return readFileSync(`/proc/sys/${name}`, "utf8").trim();
  } catch {
    return undefined;
  }
}

function packagesOf(missing: readonly string[]): readonly string[] {
  const names = missing.map((text) => /\((\S+?)[ )]/.exec(text)?.[1] ?? text);
  return [...new Set(names)];
}
