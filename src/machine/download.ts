import { chmod, mkdir, open, rename, rm, stat, symlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import pLimit from "p-limit";

import { Problem } from "../problem.ts";
import type { Link } from "./link.ts";
import type { TransferOptions } from "./machine.ts";
import { quote } from "./quote.ts";
import { type RemoteEntry, toRemoteEntries } from "./remote-listing.ts";
import { streamCommand } from "./run-command.ts";

const filesAtOnce = 4;

/** Lists a path as NUL-terminated fields: kind, mode, size, name, target of a link. */
const listing = `from=$1
case $from in "~/"*) from=$HOME/\${from#??} ;; /*) ;; *) from=./$from ;; esac
if [ -d "$from" ]; then cd "$from" && set -- .; else set -- "$from"; fi
[ -e "$1" ] || { echo "no such file or directory" >&2; exit 1; }
exec find -H "$@" -exec sh -c 'for path do
  size=0 target= kind=other
  if [ -L "$path" ] && [ "$path" != "$0" ]; then
    kind=link target=$(readlink "$path"; echo x) target=\${target%?x}
  elif [ -d "$path" ]; then kind=directory
  elif [ -f "$path" ]; then kind=file size=$(wc -c <"$path") || exit 1
  fi
  mode=$(stat -L -c %a "$path" 2>/dev/null) || mode=644
  printf "%s\\000" "$kind" "$mode" "$size" "$path" "$target"
done' "$1" {} +
`;

/** Copies a remote file, or the contents of a remote directory into a local one. */
export async function download(
  link: Link,
  remotePath: string,
  localPath: string,
  options: TransferOptions,
): Promise<void> {
  const { signal } = options;
  const entries = toRemoteEntries(await collect(link, commandOf(listing, remotePath), remotePath, signal));
  const [first] = entries;
  if (first?.kind === "file") {
    const target = await targetOf(localPath, basename(remotePath));
    return receiveAll(link, [{ entry: first, remote: remotePath, local: target }], options);
  }
  for (const { kind, path } of entries) {
    if (kind === "directory") await mkdir(join(localPath, path), { recursive: true, mode: 0o700 });
  }
  const files = entries.filter(({ kind }) => kind === "file");
  const from = remotePath.replace(/\/+$/, "");
  await receiveAll(
    link,
    files.map((entry) => ({ entry, remote: `${from}/${entry.path}`, local: join(localPath, entry.path) })),
    options,
  );
  // After the files, so that no file can be written through a link.
  for (const { kind, path, target } of entries) {
    if (kind !== "link") continue;
    await rm(join(localPath, path), { force: true });
    await symlink(target, join(localPath, path));
  }
  for (const { kind, path, mode } of [...entries].reverse()) {
    if (kind === "directory") await chmod(join(localPath, path), mode);
  }
}

type Receiving = { readonly entry: RemoteEntry; readonly remote: string; readonly local: string };

async function receiveAll(link: Link, files: readonly Receiving[], options: TransferOptions): Promise<void> {
  const totalBytes = files.reduce((sum, { entry }) => sum + entry.sizeBytes, 0);
  let doneBytes = 0;
  const failed = new AbortController();
  const signal = AbortSignal.any([options.signal, failed.signal]);
  const limit = pLimit(filesAtOnce);
  const onBytes = (bytes: number): void => {
    doneBytes += bytes;
    options.onBytes?.(doneBytes, totalBytes);
  };
  const all = files.map((file) =>
    limit(async () => {
      signal.throwIfAborted();
      await receive(link, file, { signal, mode: options.mode ?? file.entry.mode, onBytes });
    }).catch((error: unknown) => {
      failed.abort(error);
      throw error;
    }),
  );
  await Promise.allSettled(all);
  await Promise.all(all);
}

async function receive(
  link: Link,
  { entry, remote, local }: Receiving,
  { signal, mode, onBytes }: { signal: AbortSignal; mode: number; onBytes: (bytes: number) => void },
): Promise<void> {
  await mkdir(dirname(local), { recursive: true });
  const part = `${local}.part`;
  const command = commandOf(
    `case $1 in "~/"*) cd && exec cat "\${1#??}" ;; *) exec cat "$1" ;; esac`,
    safe(remote),
  );
  const { stdout, result } = await streamCommand(link, command, { signal });
  try {
    let bytes = 0;
    {
      await using file = await open(part, "w", 0o600);
      for await (const chunk of stdout) {
        await file.write(chunk);
        bytes += chunk.length;
        onBytes(chunk.length);
      }
    }
    const { code, stderr } = await result;
    if (code !== 0) throw unreadable(link, remote, stderr, code);
    if (bytes !== entry.sizeBytes) {
      throw unreadable(link, remote, `${bytes} of ${entry.sizeBytes} bytes arrived`, code);
    }
    await chmod(part, mode & 0o7777);
    await rename(part, local);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}

async function collect(
  link: Link,
  command: string,
  remotePath: string,
  signal: AbortSignal,
): Promise<string> {
  const { stdout, result } = await streamCommand(link, command, { signal });
  const chunks: Uint8Array[] = [];
  for await (const chunk of stdout) chunks.push(chunk);
  const { code, stderr } = await result;
  if (code !== 0) throw unreadable(link, remotePath, stderr, code);
  return Buffer.concat(chunks).toString("utf8");
}

function commandOf(program: string, path: string): string {
  return `sh -c ${[program, "sh", path].map(quote).join(" ")}`;
}

function safe(path: string): string {
  return path.startsWith("/") || path.startsWith("~/") ? path : `./${path}`;
}

async function targetOf(localPath: string, name: string): Promise<string> {
  if (localPath.endsWith("/")) return join(localPath, name);
  const isDirectory = await stat(localPath).then(
    (facts) => facts.isDirectory(),
    () => false,
  );
  return isDirectory ? join(localPath, name) : localPath;
}

function unreadable(link: Link, remotePath: string, stderr: string, code: number | null): Problem {
  const why = stderr.trim().split("\n").at(-1) ?? "";
  return new Problem("command-failed", `${link.name} could not read ${remotePath}: ${why || `exit ${code}`}`);
}
