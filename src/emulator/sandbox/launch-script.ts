import type { ExecutionRequest } from "../../machine/execution.ts";
import { quote } from "./quote.ts";
import { toolPath } from "./tool.ts";

/** Where an instance may keep OpenSSH's file transfer server: Debian, Red Hat, older Red Hat. */
const sftpServers = [
  "/usr/lib/openssh/sftp-server",
  "/usr/libexec/openssh/sftp-server",
  "/usr/libexec/sftp-server",
];

const sftp: string = [...sftpServers.map((path) => `[ -x ${path} ] && exec ${path}`), "exit 127"].join("\n");

/**
 * What a shell in the instance does to become the command, as sshd does: the user's home and shell from
 * /etc/passwd, the environment, a terminal when one was asked for. On descriptor 3 it tells whom to signal.
 */
export function toLaunchScript(request: ExecutionRequest): string {
  const { user, subsystem, environment, terminal } = request;
  const command = subsystem === null ? request.command : sftp;
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
