export type SshConfigRequest = {
  readonly port: number;
  readonly user: string;
  /** Absolute path of the private key. */
  readonly key: string;
  /** Absolute path; it knows the host as `imgspec`. */
  readonly knownHosts: string;
};

/**
 * A configuration for OpenSSH's programs (`ssh -F`) with which every name is the one machine at the other end of a relay.
 * Neither the user's own configuration nor their agent has a say.
 */
export function toSshConfig({ port, user, key, knownHosts }: SshConfigRequest): string {
  return [
    "Host *",
    "HostName 127.0.0.1",
    `Port ${port}`,
    `User ${user}`,
    "HostKeyAlias imgspec",
    "StrictHostKeyChecking yes",
    `UserKnownHostsFile ${quoted(knownHosts)}`,
    "GlobalKnownHostsFile /dev/null",
    "PreferredAuthentications publickey",
    "IdentitiesOnly yes",
    `IdentityFile ${quoted(key)}`,
    "Compression no",
    "ServerAliveInterval 30",
    // A connection within this machine costs little, and one that outlives its program would have to be ended.
    "ControlMaster no",
    "ControlPath none",
    "LogLevel ERROR",
    "",
  ].join("\n");
}

/** In file names a % begins what stands for something else (ssh_config, TOKENS). */
function quoted(path: string): string {
  return `"${path.replaceAll("%", "%%")}"`;
}
