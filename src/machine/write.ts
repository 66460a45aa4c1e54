import { once } from "node:events";

import { Problem } from "../problem.ts";
import { open } from "./command.ts";
import type { Link } from "./link.ts";
import { quote } from "./quote.ts";
import { Tail } from "./tail.ts";

/**
 * Takes a file from stdin. It is complete, and has its mode, before it gets its name; until then only its owner
 * can read it. Needs no more than a POSIX shell, so that it works on the smallest of images.
 */
const program = `to=$1 mode=$2 size=$3 name=$4
case $to in "~/"*) to=$HOME/\${to#??} ;; esac
case $to in */) to=$to$name ;; *) [ ! -d "$to" ] || to=$to/$name ;; esac
case $to in /*) ;; *) to=./$to ;; esac
[ ! -d "$to" ] || { echo "it is a directory" >&2; exit 1; }
dir=\${to%/*}
mkdir -p "\${dir:-/}" || exit 1
umask 077
part=$dir/.imgspec-$$.part
# A second signal must not end the rm: what is ignored here is ignored there.
trap 'trap "" HUP INT TERM PIPE; rm -f "$part"' EXIT
trap 'trap "" HUP INT TERM PIPE; exit 1' HUP INT TERM PIPE
exec 3<&0 4>"$part" || exit 1
# In the background: a shell that waits for a foreground command hears of a signal only when that has ended.
cat <&3 >&4 &
wait $! || exit 1
got=$(wc -c <"$part")
[ "$got" -eq "$size" ] || { echo "$got of $size bytes arrived" >&2; exit 1; }
chmod "$mode" "$part" && mv -f "$part" "$to"
`;

export type SendOptions = {
  readonly signal: AbortSignal;
  readonly mode: number;
  readonly sizeBytes: number;
  /** The name it gets when the remote path is a directory. */
  readonly name: string;
  readonly onBytes?: (bytes: number) => void;
};

/** Writes content to a remote file with this mode from the first byte on. */
export async function write(
  link: Link,
  content: string | Uint8Array,
  remotePath: string,
  { mode, signal }: { mode: number; signal: AbortSignal },
): Promise<void> {
  const bytes = Buffer.from(content);
  await send(link, [bytes], remotePath, { signal, mode, sizeBytes: bytes.length, name: "" });
}

/** Sends a stream of a known length into a remote file. */
export async function send(
  link: Link,
  content: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  remotePath: string,
  { signal, mode, sizeBytes, name, onBytes }: SendOptions,
): Promise<void> {
  const words = [program, "sh", remotePath, mode.toString(8), String(sizeBytes), name];
  const unreadable = new AbortController();
  const stop = AbortSignal.any([signal, unreadable.signal]);
  const { channel, exit } = await open(link, `sh -c ${words.map(quote).join(" ")}`, { signal: stop });
  const stderr = new Tail();
  channel.resume().stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  const over = new AbortController();
  const ended = exit.finally(() => over.abort());
  ended.catch(() => undefined);
  const done = AbortSignal.any([stop, over.signal]);
  try {
    for await (const chunk of content) {
      if (done.aborted) break;
      const flushed = channel.write(chunk);
      onBytes?.(chunk.length);
      if (!flushed) await once(channel, "drain", { signal: done }).catch(() => undefined);
    }
  } catch (error) {
    unreadable.abort(error);
  }
  // The end of stdin says that the content is complete, so an aborted transfer must not send it.
  if (!stop.aborted) channel.end();
  const { code } = await ended;
  if (code === 0) return;
  const why = stderr.text().trim().split("\n").at(-1) ?? "";
  throw new Problem("command-failed", `${link.name} could not write ${remotePath}: ${why || `exit ${code}`}`);
}
