import { elevate } from "./elevate.ts";

/**
 * Finds the processes that carry a mark in their environment or arguments and signals them: the whole process group
 * when its leader is marked too (sshd gives every command a group of its own), else only the process, since the
 * group may then be that of the server itself. Linux only: it reads /proc, where a NUL ends
 * each word (busybox' grep without -z sees the first alone). Its own group is spared. busybox' kill takes no `--`.
 */
const program = `group() {
  read -r line < "/proc/$1/stat" || return 1
  set -- \${line##*) }
  group=$3
} 2>/dev/null
marked() { grep -qszF -e "$token" "/proc/$1/environ" "/proc/$1/cmdline"; }
group $$ || exit 0
own=$group
for path in $(grep -lszF -e "$token" /proc/[0-9]*/environ /proc/[0-9]*/cmdline); do
  pid=\${path#/proc/}; pid=\${pid%%/*}
  group "$pid" || continue
  [ "$group" != "$own" ] || continue
  if [ "$group" -gt 1 ] && marked "$group"; then target=-$group; else target=$pid; fi
  kill "-$name" "$target" 2>/dev/null && found=yes
done
[ -z "$found" ] || echo imgspec-found
`;

/** A command line that does the same and whose processes can be found again by this token. */
export function markCommand(token: string, commandLine: string): string {
  return `export IMGSPEC_COMMAND=${token}; ${commandLine}`;
}

/**
 * What to run to signal whatever carries the token (`0` only looks), and to print `imgspec-found` if there was any.
 * The token goes by stdin, or the reaper would find itself.
 */
export function toReaper(token: string, name: "TERM" | "KILL" | "0"): { command: string; stdin: string } {
  // Root sees and reaches every process of the command, also those that it started through sudo.
  return {
    command: elevate(["sh", "-s"], "anyway"),
    stdin: `token=${token}\nname=${name}\nfound=\n${program}`,
  };
}
