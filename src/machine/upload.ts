import { createReadStream } from "node:fs";
import { lstat, readdir, readlink, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import pLimit from "p-limit";

import { Problem } from "../problem.ts";
import type { Link } from "./link.ts";
import type { TransferOptions } from "./machine.ts";
import { quote } from "./quote.ts";
import { runCommand } from "./run-command.ts";
import { send } from "./write.ts";

/** sshd allows ten sessions in one connection (MaxSessions); the rest is left to whatever else runs. */
const filesAtOnce = 4;

type Entry = { readonly path: string; readonly mode: number } & (
  | { readonly kind: "directory" }
  | { readonly kind: "file"; readonly sizeBytes: number }
  | { readonly kind: "link"; readonly target: string }
);

/** Copies a file, or the contents of a directory into a remote one. Links stay links, modes are kept. */
export async function upload(
  link: Link,
  localPath: string,
  remotePath: string,
  options: TransferOptions,
): Promise<void> {
  // The named path itself may be a link: it is what it points to that is meant.
  const named = await stat(localPath).catch((error: unknown) => {
    throw new Problem("file-unreadable", `${localPath} cannot be read`, { cause: error });
  });
  if (!named.isDirectory()) {
    const { size: sizeBytes, mode } = named;
    return sendAll(link, [{ local: localPath, remote: remotePath, sizeBytes, mode }], options);
  }
  const entries = await walk(localPath, "");
  const at = (path: string): string => `${remotePath.replace(/\/+$/, "")}/${path}`;
  const directories = entries.filter(({ kind }) => kind === "directory");
  await runProgram(link, remotePath, options.signal, [
    `mkdir -p ${wordOf(`${remotePath}/`)}`,
    ...directories.map(({ path }) => `mkdir -p ${wordOf(at(path))}`),
    ...entries.flatMap((entry) =>
      entry.kind === "link"
        ? [`rm -f ${wordOf(at(entry.path))}`, `ln -s -- ${quote(entry.target)} ${wordOf(at(entry.path))}`]
        : [],
    ),
  ]);
  const files = entries.flatMap((entry) =>
    entry.kind === "file"
      ? [
          {
            local: join(localPath, entry.path),
            remote: at(entry.path),
            sizeBytes: entry.sizeBytes,
            mode: entry.mode,
          },
        ]
      : [],
  );
  await sendAll(link, files, options);
  // Last, and from the inside out, since a directory may be read-only.
  await runProgram(link, remotePath, options.signal, [
    ...directories.reverse().map(({ path, mode }) => `chmod ${toOctal(mode)} ${wordOf(at(path))}`),
    `chmod ${toOctal(named.mode)} ${wordOf(`${remotePath}/`)}`,
  ]);
}

type Sending = {
  readonly local: string;
  readonly remote: string;
  readonly sizeBytes: number;
  readonly mode: number;
};

async function sendAll(link: Link, files: readonly Sending[], options: TransferOptions): Promise<void> {
  const totalBytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  let doneBytes = 0;
  const failed = new AbortController();
  const signal = AbortSignal.any([options.signal, failed.signal]);
  const limit = pLimit(filesAtOnce);
  const all = files.map(({ local, remote, sizeBytes, mode }) =>
    limit(async () => {
      signal.throwIfAborted();
      await send(link, createReadStream(local, { highWaterMark: 256 * 1024 }), remote, {
        signal,
        sizeBytes,
        mode: (options.mode ?? mode) & 0o7777,
        name: basename(local),
        onBytes: (bytes) => {
          doneBytes += bytes;
          options.onBytes?.(doneBytes, totalBytes);
        },
      });
    }).catch((error: unknown) => {
      failed.abort(error);
      throw error;
    }),
  );
  await Promise.allSettled(all);
  await Promise.all(all);
}

async function runProgram(
  link: Link,
  remotePath: string,
  signal: AbortSignal,
  lines: string[],
): Promise<void> {
  const stdin = `set -e\n${lines.join("\n")}\n`;
  const { code, stderr } = await runCommand(link, "sh -s", { signal, stdin });
  if (code === 0) return;
  const why = stderr.trim().split("\n").at(-1) ?? "";
  throw new Problem("command-failed", `${link.name} could not write ${remotePath}: ${why || `exit ${code}`}`);
}

async function walk(root: string, inside: string): Promise<Entry[]> {
  const names = (await readdir(join(root, inside))).sort();
  const entries: Entry[] = [];
  for (const name of names) {
    const path = inside === "" ? name : `${inside}/${name}`;
    const facts = await lstat(join(root, path));
    const mode = facts.mode & 0o7777;
    if (facts.isSymbolicLink())
      entries.push({ path, mode, kind: "link", target: await readlink(join(root, path)) });
    else if (facts.isDirectory())
      entries.push({ path, mode, kind: "directory" }, ...(await walk(root, path)));
    else if (facts.isFile()) entries.push({ path, mode, kind: "file", sizeBytes: facts.size });
    else
      throw new Problem("file-unreadable", `${join(root, path)} is neither a file, a directory nor a link`);
  }
  return entries;
}

/** A remote path as a shell word: safe at the start of an argument, and `~/` means the user's home. */
function wordOf(path: string): string {
  if (path.startsWith("~/")) return `"$HOME"/${quote(path.slice(2))}`;
  return quote(path.startsWith("/") ? path : `./${path}`);
}

function toOctal(mode: number): string {
  return (mode & 0o7777).toString(8);
}
