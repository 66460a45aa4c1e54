# Copies the root volume of a running machine into an image and writes it to stdout.
#
#   unshare -m sh -s -- [--OPTION VALUE]... <program
#
#   --partition auto|gpt|mbr|none      --size MIB               of the whole image
#   --exclude GLOB  --include GLOB     --forget KEY             may each be given more than once, but for --forget
#   --fstab keep|generate|given        --hygiene CLASS=scrub|refuse|keep    --allow GLOB
#   --check yes                        tells everything that stands in the way, and ends
#   --root DIR  --disk FILE --start SECTOR    take these for the root, its disk and its place on it
#
# The program is the files of this directory, one after the other (src/machine/root-image-program.ts has their order),
# in front of them given_fstab and given_hook, the texts of files of the builder. It runs as root in a mount namespace of
# its own, so that whatever it mounts goes away with it, however it ends. The image is a file that loses its name as soon
# as it is open: nothing of this program can be left behind or get into the image.
#
# Told on stderr, each in one line:
#   imgspec-phase: TEXT      imgspec-note: TEXT     imgspec-hygiene: scrub|refuse|keep CLASS PATH
#   imgspec-table: none|gpt|mbr                     what the image will have, early
#   imgspec-image: size=BYTES                       before any data
#   imgspec-missing: NAME    exit code 69           imgspec-no-room: TEXT    exit code 73
#   imgspec-problem: TEXT    exit code 70           imgspec-hint: TEXT       what to do about it

export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin:/usr/bin:/bin"
umask 077
newline='
'

tell() { echo "imgspec-$*" >&2; }
problem() { tell "problem: $*"; exit 70; }
no_room() { tell "no-room: $*"; exit 73; }

# These three are collected, so that one try tells all of them. `settle` ends the program if there were any.
failing=0
missing() { tell "missing: $*"; failing=69; }
crowded() { tell "no-room: $*"; failing=73; }
objection() {
  tell "problem: $1"
  [ -z "${2:-}" ] || tell "hint: $2"
  failing=70
}
settle() { [ "$failing" = 0 ] || exit "$failing"; }

# Calls a function with each line of a list.
each_of() {
  while IFS= read -r each_line; do
    [ -z "$each_line" ] || "$1" "$each_line"
  done <<END
$2
END
}

# busybox's shell takes its own programs, which can do less, for bare names.
path_of() {
  for path_of in /sbin /usr/sbin /usr/local/sbin /bin /usr/bin; do
    [ -x "$path_of/$1" ] && echo "$path_of/$1" && return 0
  done
  return 1
}

need() { command -v "$1" >/dev/null 2>&1 || missing "$1 ($2)"; }

check_tools() {
  [ "$(id -u)" = 0 ] || objection "only root can read the whole root file system"
  for tool in stat du df dd cat cp chown chmod touch wc mkdir mknod rm od sync readlink; do need "$tool" coreutils; done
  for tool in find:findutils grep:grep mount:util-linux umount:util-linux; do need "${tool%:*}" "${tool#*:}"; done
}

check_ext_tools() {
  mke2fs=$(path_of mke2fs) || missing "mke2fs (e2fsprogs)"
  debugfs=$(path_of debugfs) || missing "debugfs (e2fsprogs)"
  tune2fs=$(path_of tune2fs) || missing "tune2fs (e2fsprogs)"
  [ -n "$mke2fs" ] || return 0
  version=$("$mke2fs" -V 2>&1)
  version=${version#*mke2fs } version=${version%% *}
  major=${version%%.*} minor=${version#*.} minor=${minor%%[!0-9]*}
  # mke2fs fills a file system from a directory (-d) since e2fsprogs 1.43; elsewhere the kernel has to.
  [ "$major" -gt 1 ] || [ "$minor" -ge 43 ] || old_mke2fs=$version
  look_for_mounting
  [ -z "$old_mke2fs" ] || [ -z "$unmountable" ] ||
    missing "mke2fs 1.43 or newer (e2fsprogs; found $version), or GNU cp and a loop device"
}

check_xfs_tools() {
  mkfs_xfs=$(path_of mkfs.xfs) || missing "mkfs.xfs (xfsprogs)"
  xfs_info=$(path_of xfs_info) || missing "xfs_info (xfsprogs)"
  blkid=$(path_of blkid) || missing "blkid (util-linux)"
  look_for_mounting
  each_of missing "$unmountable"
}
