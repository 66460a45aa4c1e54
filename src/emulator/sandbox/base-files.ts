import { loginUsers } from "./users.ts";

/** A file of the built-in root that is written, not copied. */
export type BaseFile = { readonly path: string; readonly mode: number; readonly text: string };

/** Folders that a Linux root has whether or not anything is in them, with their modes. */
export const baseFolders: readonly (readonly [string, number])[] = [
  ...["boot", "dev", "etc", "home", "media", "mnt", "opt", "proc", "run", "srv", "sys", "usr", "var"].map(
    (path) => [path, 0o755] as const,
  ),
  ...["bin", "include", "lib", "lib64", "libexec", "local", "sbin", "share", "src"].map(
    (path) => [`usr/${path}`, 0o755] as const,
  ),
  ...["bin", "etc", "lib", "sbin", "share"].map((path) => [`usr/local/${path}`, 0o755] as const),
  ...["cache", "lib", "lib/cloud", "log", "spool"].map((path) => [`var/${path}`, 0o755] as const),
  ...["etc/profile.d", "etc/skel", "etc/ssh", "etc/cron.d", "etc/default"].map(
    (path) => [path, 0o755] as const,
  ),
  ["root", 0o700],
  ...loginUsers.map((user) => [`home/${user}`, 0o700] as const),
  ["tmp", 0o1777],
  ["var/tmp", 0o1777],
];

/** Links of a merged /usr, and to what is made at boot. */
export const baseLinks: Readonly<Record<string, string>> = {
  bin: "usr/bin",
  sbin: "usr/sbin",
  lib: "usr/lib",
  lib64: "usr/lib64",
  "var/run": "/run",
  "var/lock": "/run/lock",
  "etc/mtab": "/proc/self/mounts",
};

/**
 * sudo without a setuid program, which a script cannot be. the login users are root here by other names, so what
 * remains is to take the options that scripts use, set the environment, become another user where that can be,
 * and run the command.
 */
const sudo = `#!/bin/sh
# A stand-in: every user of this sandbox is root.
user=root login=
while [ $# -gt 0 ]; do
  case $1 in
  --) shift; break ;;
  -u | --user | -g | --group | -p | --prompt | -C | -h | -r | -t | -T | -U | -D | -R)
    [ "$1" = -u ] || [ "$1" = --user ] && user=$2
    shift 2 ;;
  --user=*) user=\${1#--user=}; shift ;;
  -u?*) user=\${1#-u}; shift ;;
  -V | --version) echo "Sudo stand-in of the imgspec sandbox"; exit 0 ;;
  -v | -k | -K | --validate) exit 0 ;;
  -i | -s | --login | --shell) login=1; shift ;;
  -*) shift ;;
  *) break ;;
  esac
done
home=/root uid=0 gid=0 prefix=
while IFS=: read -r name _ number group _ folder _; do
  [ "$name" = "$user" ] && home=$folder uid=$number gid=$group
done </etc/passwd
# Where only root is mapped nobody else can be, and root has to do.
as="--reuid $uid --regid $gid --clear-groups"
[ "$uid" = 0 ] || ! setpriv $as true 2>/dev/null || prefix="setpriv $as --"
export SUDO_USER="\${USER:-root}" SUDO_UID=0 SUDO_GID=0 SUDO_COMMAND="$*"
export USER="$user" LOGNAME="$user" HOME="$home"
while [ $# -gt 0 ]; do
  case $1 in
  [A-Za-z_]*=*) export "$1"; shift ;;
  *) break ;;
  esac
done
if [ -n "$login" ]; then
  cd "$home" || exit 1
  [ $# -gt 0 ] && exec $prefix /bin/sh -lc "$*"
  exec $prefix /bin/sh -l
fi
[ $# -gt 0 ] || { echo "usage: sudo command" >&2; exit 1; }
exec $prefix "$@"
`;

/** The first process tells whoever runs the instance (boot-script.ts). */
const reboot = `#!/bin/sh
sync
kill -USR1 1
`;

/** Everything that is written into the built-in root. `shell` is the login shell. */
export function baseFiles(shell: string): readonly BaseFile[] {
  const plain: Readonly<Record<string, string>> = {
    "etc/passwd": [
      `root:x:0:0:root:/root:${shell}`,
      ...loginUsers.map((user) => `${user}:x:0:0:EC2 Default User:/home/${user}:${shell}`),
      "daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin",
      "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
    ].join("\n"),
    "etc/group": `root:x:0:\ndaemon:x:1:\ntty:x:5:\ndisk:x:6:\nadm:x:4:\nwheel:x:10:${loginUsers.join(",")}\nusers:x:100:\nnogroup:x:65534:\n`,
    "etc/os-release": [
      'NAME="imgspec sandbox"',
      "ID=imgspec-sandbox",
      "VERSION_ID=1",
      'PRETTY_NAME="imgspec sandbox 1"\n',
    ].join("\n"),
    "etc/hostname": "localhost\n",
    "etc/hosts": "127.0.0.1 localhost\n::1 localhost ip6-localhost\n",
    "etc/resolv.conf": "",
    "etc/machine-id": "",
    "etc/fstab": "LABEL=/ / ext4 defaults 1 1\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n",
    "etc/shells": "/bin/sh\n/bin/dash\n/bin/bash\n",
    "etc/ld.so.conf": "/usr/local/lib\n",
    "etc/profile": 'for file in /etc/profile.d/*.sh; do\n  [ -r "$file" ] && . "$file"\ndone\nunset file\n',
    "etc/motd": "An imgspec sandbox: a small Linux made from what your machine has.\n",
    "var/log/wtmp": "",
  };
  return [
    ...Object.entries(plain).map(([path, text]) => ({ path, mode: 0o644, text })),
    {
      path: "etc/shadow",
      mode: 0o600,
      text: ["root", ...loginUsers].map((user) => `${user}:*:20000::::::\n`).join(""),
    },
    { path: "etc/gshadow", mode: 0o600, text: "root:*::\n" },
    { path: "usr/bin/sudo", mode: 0o755, text: sudo },
    { path: "usr/sbin/reboot", mode: 0o755, text: reboot },
    { path: "usr/sbin/nologin", mode: 0o755, text: "#!/bin/sh\nexit 1\n" },
  ];
}
