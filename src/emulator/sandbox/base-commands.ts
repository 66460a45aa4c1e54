/** What an instance cannot do without, with the Debian package that has it. */
export const neededCommands: Readonly<Record<string, string>> = {
  sh: "dash",
  cat: "coreutils",
  cp: "coreutils",
  mkdir: "coreutils",
  rm: "coreutils",
  mkfifo: "coreutils",
  stty: "coreutils",
  tar: "tar",
  gzip: "gzip",
  grep: "grep",
  sed: "sed",
  find: "findutils",
  ldd: "libc-bin",
  mke2fs: "e2fsprogs",
  e2fsck: "e2fsprogs",
  debugfs: "e2fsprogs",
  mount: "mount",
  umount: "mount",
  hostname: "hostname",
  unshare: "util-linux",
  nsenter: "util-linux",
  setpriv: "util-linux",
  setsid: "util-linux",
  pivot_root: "util-linux",
  script: "bsdutils or util-linux",
};

/** Copied into the built-in root when the machine has them, by the package they come from. */
export const baseCommands: readonly string[] = [
  ...Object.keys(neededCommands),
  // coreutils
  ..."[ arch b2sum base32 base64 basename chgrp chmod chown chroot cksum comm csplit cut date dd df".split(
    " ",
  ),
  ..."dircolors dirname du echo env expand expr factor false fmt fold groups head hostid id install".split(
    " ",
  ),
  ..."join link ln logname ls md5sum mknod mktemp mv nice nl nohup nproc numfmt od paste pathchk".split(" "),
  ..."pr printenv printf pwd readlink realpath rmdir runcon seq sha1sum sha224sum sha256sum".split(" "),
  ..."sha384sum sha512sum shred shuf sleep sort split stat stdbuf sum sync tac tail tee test timeout".split(
    " ",
  ),
  ..."touch tr true truncate tsort tty uname unexpand uniq unlink users vdir wc who whoami yes dir".split(
    " ",
  ),
  // shells, text and archives
  ..."dash bash rbash egrep fgrep awk mawk gawk xargs cmp diff diff3 sdiff patch which".split(" "),
  ..."gunzip zcat bzip2 bunzip2 xz unxz xzcat zstd unzip cpio rsync less".split(" "),
  // util-linux, e2fsprogs, procps
  ..."blkid blockdev dmesg fallocate findmnt flock fsck getopt last logger losetup lsblk more".split(" "),
  ..."mkfs mkswap mountpoint namei partx renice rev sfdisk swapon switch_root taskset uuidgen wipefs".split(
    " ",
  ),
  ..."badblocks chattr dumpe2fs e2label filefrag lsattr mkfs.ext2 mkfs.ext3 mkfs.ext4 resize2fs tune2fs".split(
    " ",
  ),
  ..."fsck.ext2 fsck.ext3 fsck.ext4 e2image".split(" "),
  ..."free kill pgrep pidof pkill ps pmap pwdx sysctl tload top uptime vmstat w watch".split(" "),
  // accounts, network, cryptography
  ..."getent groupadd groupdel groupmod useradd userdel usermod ldconfig".split(" "),
  ..."ip ss scp curl wget openssl locale getconf tput clear".split(" "),
];

/** Copied as they are when the machine has them; a folder with all that is in it. */
export const baseData: readonly string[] = [
  "/etc/mke2fs.conf",
  "/etc/login.defs",
  "/etc/ssl/openssl.cnf",
  "/etc/ssl/certs/ca-certificates.crt",
  "/usr/lib/ssl/openssl.cnf",
  "/usr/lib/openssh/sftp-server",
  "/usr/libexec/openssh/sftp-server",
  ...["d/dumb", "l/linux", "s/screen", "v/vt100", "x/xterm", "x/xterm-256color"].flatMap((entry) => [
    `/usr/share/terminfo/${entry}`,
    `/usr/lib/terminfo/${entry}`,
  ]),
];
