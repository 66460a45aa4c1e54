import type { ExecutionRequest } from "./execution.ts";
import { quote } from "./quote.ts";
import { toolPath } from "./tool.ts";

/**
 * What a shell in the instance does to become the command, as sshd does: the user's home and shell from
 * /etc/passwd, the environment, a terminal when one was asked for. On descriptor 3 it tells whom to signal.
 */
export function toLaunchScript({ user, command, environment, terminal }: ExecutionRequest): string {
  const run = `exec "$SHELL" ${command === null ? "-l" : `-c ${quote(command)}`}`;
  const size = terminal === null ? "" : `stty rows ${terminal.rows} cols ${terminal.columns}`;
  const inTerminal = `echo "$$ $(tty)" >&3; exec 3>&-; ${size}; export SSH_TTY="$(tty)"; ${run}`;
  return [
    `while IFS=: read -r imgspec_name _ _ _ _ imgspec_home imgspec_shell; do`,
    `  [ "$imgspec_name" = ${quote(user)} ] && break`,
    `done </etc/passwd`,
    `[ -x "$imgspec_shell" ] || imgspec_shell=/bin/sh`,
    `export USER=${quote(user)} LOGNAME=${quote(user)} HOME="$imgspec_home" SHELL="$imgspec_shell" PATH=${toolPath}`,
    `cd "$HOME" 2>/dev/null || cd /`,
    ...(terminal === null ? [] : [`export TERM=${quote(terminal.name)}`]),
    ...environment.map(([name, value]) => `export ${name}=${quote(value)}`),
    ...(terminal === null
      ? [`echo "$$" >&3`, "exec 3>&-", run]
      : [`exec script -qfec ${quote(inTerminal)} /dev/null`]),
    "",
  ].join("\n");
}
