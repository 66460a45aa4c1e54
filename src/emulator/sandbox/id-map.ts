import { readFileSync } from "node:fs";
import { userInfo } from "node:os";
import { findTool } from "./tool.ts";

/** Inside from `inside` on, `count` ids stand for the outer ids from `outside` on. */
export type IdRange = { readonly inside: number; readonly outside: number; readonly count: number };

/**
 * Who is who in an instance.
 * `delegated`: we are root and give it a range that nobody owns, so that its root is nobody outside.
 * `subordinate`: newuidmap adds the ranges of /etc/subuid to our own id.
 * `single`: only its root exists, and is we; changing an owner to anybody else fails inside.
 */
export type IdMap = {
  readonly kind: "delegated" | "subordinate" | "single";
  readonly users: readonly IdRange[];
  readonly groups: readonly IdRange[];
};

const rangeSize = 65_536;

/** The end of what systemd keeps for containers, so no account has these ids (systemd, UIDS-GIDS.md). */
const rangeEnd = 1_879_048_192;

/** The widest map that this process may give to an instance. */
export async function toIdMap(): Promise<IdMap> {
  const { uid, gid, username } = userInfo();
  const [freeUsers, freeGroups] = [freeRange("uid_map"), freeRange("gid_map")];
  if (uid === 0 && freeUsers && freeGroups) {
    return { kind: "delegated", users: [freeUsers], groups: [freeGroups] };
  }
  const own = { kind: "single", users: [ownRange(uid)], groups: [ownRange(gid)] } as const;
  const [users, groups] = [
    subordinateRange("/etc/subuid", username, uid),
    subordinateRange("/etc/subgid", username, uid),
  ];
  const haveHelpers =
    (await findTool("newuidmap")) !== undefined && (await findTool("newgidmap")) !== undefined;
  if (!haveHelpers || users === undefined || groups === undefined) return own;
  return { kind: "subordinate", users: [...own.users, users], groups: [...own.groups, groups] };
}

/** A folder name: trees made under one map are of no use under another. */
export function nameOf({ kind, users }: IdMap): string {
  return [kind, ...users.map(({ outside, count }) => `${outside}-${count}`)].join("-");
}

function ownRange(id: number): IdRange {
  return { inside: 0, outside: id, count: 1 };
}

/** The upper part of what we have ourselves: a lot on a host, less in a container, none where only root is mapped. */
function freeRange(file: "uid_map" | "gid_map"): IdRange | undefined {
  const ranges = linesOf(`/proc/self/${file}`).map((line) => line.trim().split(/\s+/).map(Number));
  const widest = ranges.reduce((best, range) => ((range[2] ?? 0) > (best[2] ?? 0) ? range : best), []);
  const [first = 0, , size = 1] = widest;
  const count = Math.min(rangeSize, Math.floor(size / 2));
  if (count === 0) return undefined;
  return { inside: 0, outside: Math.min(rangeEnd, first + size) - count, count };
}

function subordinateRange(path: string, name: string, uid: number): IdRange | undefined {
  const [, first, size] =
    linesOf(path)
      .map((line) => line.split(":"))
      .find(([owner]) => owner === name || owner === String(uid)) ?? [];
  const count = Math.min(rangeSize - 1, Number(size));
  return first !== undefined && count > 0 ? { inside: 1, outside: Number(first), count } : undefined;
}

function linesOf(path: string): readonly string[] {
  try {
    return readFileSync(path, "utf8").split("\n");
  } catch {
    return [];
  }
}
