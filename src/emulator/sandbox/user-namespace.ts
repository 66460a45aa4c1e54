import { type ChildProcessWithoutNullStreams, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { Problem } from "../../problem.ts";
import type { IdMap, IdRange } from "./id-map.ts";
import { toolPath } from "./tool.ts";

export type Finished = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

/**
 * Starts a program as root of a new user namespace: root over the ids of the map, nobody outside.
 * Its environment is bare, its standard streams are pipes. The working directory may be one that it could not reach by
 * path, and so may `file`, an open descriptor that it gets as number 3.
 */
export async function startMapped(
  idMap: IdMap,
  command: readonly string[],
  cwd: string,
  file?: number,
): Promise<ChildProcessWithoutNullStreams> {
  const [own, become] =
    idMap.kind === "delegated"
      ? [["--user", "--keep-caps"], "setpriv --reuid 0 --regid 0 --clear-groups"]
      : [["--user"], ""];
  // The ids can be mapped only once the namespace is there, and a program is root only if started after that.
  const gate = `echo; read -r _; exec ${become} "$@"`;
  const child = spawn("/usr/bin/unshare", [...own, "/bin/sh", "-c", gate, "sh", ...command], {
    cwd,
    env: { PATH: toolPath },
    stdio: ["pipe", "pipe", "pipe", ...(file === undefined ? [] : [file])],
  }) as ChildProcessWithoutNullStreams;
  child.stdin.on("error", () => undefined);
  await untilOpen(child);
  try {
    await writeMap(child.pid ?? 0, idMap);
  } catch (cause) {
    child.kill("SIGKILL");
    throw new Problem("sandbox-unavailable", "the ids of a user namespace cannot be mapped", { cause });
  }
  child.stdin.write("\n");
  return child;
}

/** The same for a program that ends by itself. */
export async function runMapped(
  idMap: IdMap,
  command: readonly string[],
  cwd: string,
  file?: number,
): Promise<Finished> {
  const child = await startMapped(idMap, command, cwd, file);
  child.stdin.end();
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close") as Promise<[number | null]>,
  ]);
  return { code, stdout, stderr };
}

async function untilOpen(child: ChildProcessWithoutNullStreams): Promise<void> {
  let complaint = "";
  const listen = (chunk: Buffer): void => {
    complaint += chunk.toString();
  };
  child.stderr.on("data", listen);
  const opened = await new Promise<boolean>((resolve) => {
    child.once("error", (error) => {
      complaint ||= error.message;
      resolve(false);
    });
    child.once("close", () => resolve(false));
    child.stdout.once("data", () => resolve(true));
  });
  child.stderr.off("data", listen);
  if (!opened) {
    throw new Problem("sandbox-unavailable", `no user namespace can be made: ${complaint.trim()}`);
  }
}

async function writeMap(pid: number, { kind, users, groups }: IdMap): Promise<void> {
  if (kind === "subordinate") {
    await promisify(execFile)("newuidmap", [String(pid), ...users.flatMap(toFields)]);
    await promisify(execFile)("newgidmap", [String(pid), ...groups.flatMap(toFields)]);
    return;
  }
  // Without privilege the kernel takes a group map only from who has given up changing groups (user_namespaces(7)).
  if (kind === "single") await writeFile(`/proc/${pid}/setgroups`, "deny");
  await writeFile(`/proc/${pid}/uid_map`, toText(users));
  await writeFile(`/proc/${pid}/gid_map`, toText(groups));
}

function toText(ranges: readonly IdRange[]): string {
  return ranges.map((range) => `${toFields(range).join(" ")}\n`).join("");
}

function toFields({ inside, outside, count }: IdRange): readonly string[] {
  return [String(inside), String(outside), String(count)];
}
