import { Problem } from "../problem.ts";

/** One thing in a remote directory; `path` is relative to it, `.` for itself. */
export type RemoteEntry = {
  readonly kind: "file" | "directory" | "link";
  readonly mode: number;
  readonly sizeBytes: number;
  readonly path: string;
  readonly target: string;
};

/**
 * Reads a listing of NUL-terminated fields. The machine is not trusted with the files of the builder: a path that
 * leads out of the directory, or through anything but a directory of the listing, is refused.
 */
export function toRemoteEntries(listing: string): RemoteEntry[] {
  const fields = listing.split("\0");
  const entries: RemoteEntry[] = [];
  const directories = new Set<string>(["."]);
  for (let index = 0; index + 5 <= fields.length; index += 5) {
    const [kind = "", mode = "", size = "", name = "", target = ""] = fields.slice(index, index + 5);
    const path = name.replace(/^(?:\.\/+)+/, "");
    if (kind !== "file" && kind !== "directory" && kind !== "link") {
      throw new Problem("command-failed", `${path} on the machine is neither a file, a directory nor a link`);
    }
    if (index > 0 && !isInside(path, directories)) {
      throw new Problem(
        "command-failed",
        `the machine listed a path that leads astray: ${JSON.stringify(name)}`,
      );
    }
    if (kind === "directory") directories.add(path);
    entries.push({
      kind,
      path,
      target,
      mode: Number.parseInt(mode, 8) || 0o644,
      sizeBytes: Number(size.trim()),
    });
  }
  return entries;
}

function isInside(path: string, directories: ReadonlySet<string>): boolean {
  const slash = path.lastIndexOf("/");
  const parent = slash === -1 ? "." : path.slice(0, slash);
  const name = path.slice(slash + 1);
  return !["", ".", ".."].includes(name) && !path.startsWith("/") && directories.has(parent);
}
