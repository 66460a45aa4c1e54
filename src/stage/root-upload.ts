import { randomBytes } from "node:crypto";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { elevate } from "../machine/elevate.ts";
import { type HeldMachine, persist } from "../machine/held-machine.ts";
import type { Machine, TransferOptions } from "../machine/machine.ts";
import { quote } from "../machine/quote.ts";
import { Problem } from "../problem.ts";

const cleaningMs = 15_000;

/** `to` means what it means without sudo (machine/write.ts), and the file has its mode before it has its name. */
const placeFile = `set -e
from=$1 to=$2 name=$3 mode=$4
case $to in */) to=$to$name ;; *) [ ! -d "$to" ] || to=$to/$name ;; esac
case $to in /*) ;; *) to=./$to ;; esac
dir=\${to%/*}
mkdir -p "\${dir:-/}"
part=$dir/.imgspec-$$.part
trap 'rm -f "$part"' EXIT
umask 077
cp "$from" "$part"
chmod "$mode" "$part"
mv -f "$part" "$to"
`;

/** Directories that are there already keep their owner and mode: what is sent are the files. */
const placeDirectory = `set -e
from=$1 to=$2
case $to in /*) ;; *) to=$PWD/$to ;; esac
mkdir -p "$to"
cd "$from"
find . ! -type d -exec sh -c 'to=$0; for file do rm -f "$to/$file"; done' "$to" {} +
umask 0
cp -RP ./. "$to/"
`;

/**
 * Uploads to where only root may write: the files go to a place of the user's own first. Throws the Problem
 * `command-failed` when root cannot put them there. Nothing is left in between, however it ends.
 */
export async function rootUpload(
  held: HeldMachine,
  from: string,
  to: string,
  options: TransferOptions,
): Promise<void> {
  const { signal } = options;
  const local = await stat(from).catch((cause: unknown) => {
    throw new Problem("file-unreadable", `${from} cannot be read`, { cause });
  });
  const landing = `/tmp/.imgspec-${randomBytes(8).toString("hex")}`;
  const send = async (machine: Machine): Promise<void> => {
    const home = await land(machine, landing, signal);
    const target = to.startsWith("~/") ? `${home}/${to.slice(2)}` : to;
    const sent = `${landing}/sent`;
    await machine.upload(from, sent, options);
    const mode = ((options.mode ?? local.mode) & 0o7777).toString(8);
    const words = local.isDirectory()
      ? ["sh", "-c", placeDirectory, "sh", sent, target]
      : ["sh", "-c", placeFile, "sh", sent, target, basename(from), mode];
    const { code, stderr } = await machine.run(elevate(words), { signal });
    if (code !== 0) throw refused(from, to, stderr.trim() || `exit ${code}`);
  };
  try {
    await persist(held, signal, send);
  } finally {
    const last = AbortSignal.timeout(cleaningMs);
    const remove = (machine: Machine): Promise<unknown> =>
      machine.run(`rm -rf ${quote(landing)}`, { signal: last });
    // What matters is how the transfer ended; when the machine is gone, so are the files.
    await persist(held, last, remove).catch(() => undefined);
  }
}

/** Makes a directory that only the user can enter, if need be, and answers with the user's home. */
async function land(machine: Machine, landing: string, signal: AbortSignal): Promise<string> {
  const command = `umask 077; { mkdir ${quote(landing)} || [ -O ${quote(landing)} ]; } && echo "$HOME"`;
  const { code, stdout, stderr } = await machine.run(`sh -c ${quote(command)}`, { signal });
  // A login shell may greet first, so only the last line counts.
  if (code === 0) return stdout.trimEnd().split("\n").at(-1) ?? "";
  throw new Problem(
    "command-failed",
    `the machine has no place for files: ${stderr.trim() || `exit ${code}`}`,
  );
}

function refused(from: string, to: string, why: string): Problem {
  return new Problem("command-failed", `cannot put ${from} at ${to} with sudo: ${why}`, {
    hint: "connect.user must be root or may use sudo (with a password: connect.sudoPassword); or leave sudo out",
  });
}
