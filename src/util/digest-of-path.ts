import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, readdir, readlink } from "node:fs/promises";
import { join, relative } from "node:path";

/** SHA-256 over a file's bytes, or over the names, permissions and contents of everything below a directory. */
export async function digestOfPath(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const entry of walk(path)) {
    hash.update(`${relative(path, entry.path)}\0${entry.kind}\0${entry.mode.toString(8)}\0`);
    if (entry.kind === "link") hash.update(await readlink(entry.path));
    if (entry.kind === "file")
      for await (const chunk of createReadStream(entry.path)) hash.update(chunk as Uint8Array);
  }
  return hash.digest("hex");
}

type Walked = { readonly path: string; readonly kind: "file" | "directory" | "link"; readonly mode: number };

async function* walk(path: string): AsyncGenerator<Walked, void, undefined> {
  const stats = await lstat(path);
  const kind = stats.isDirectory() ? "directory" : stats.isSymbolicLink() ? "link" : "file";
  yield { path, kind, mode: stats.mode & 0o7777 };
  if (kind !== "directory") return;
  for (const name of (await readdir(path)).sort()) yield* walk(join(path, name));
}
