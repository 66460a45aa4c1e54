# Makes a file-system image of a running root and writes it to stdout.
#
#   unshare -m sh -s -- [--size MIB] [--root DIR] [--forget KEY] [--exclude GLOB]... <root-image.sh
#
# Runs as root in a mount namespace of its own, so that whatever it mounts goes away with it, however it ends. The
# image is a file that loses its name as soon as it is open: nothing of this program can be left behind or get into
# the image. Told on stderr: "imgspec-phase: ...", "imgspec-note: ..." and, before any data, "imgspec-image: size=BYTES".
# Exit codes: 69 "imgspec-missing: NAME", 70 "imgspec-problem: ...", 73 "imgspec-no-room: ...".

export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin:/usr/bin:/bin"
umask 077

tell() { echo "imgspec-$*" >&2; }
missing() { tell "missing: $*"; exit 69; }
problem() { tell "problem: $*"; exit 70; }
no_room() { tell "no-room: $*"; exit 73; }

check_tools() {
  [ "$(id -u)" = 0 ] || problem "only root can read the whole root file system"
  for tool in mount stat find du df dd cat cp grep chown chmod touch wc; do
    command -v "$tool" >/dev/null 2>&1 || missing "$tool"
  done
  mke2fs=$(path_of mke2fs) || missing "mke2fs (e2fsprogs)"
  version=$("$mke2fs" -V 2>&1)
  version=${version#*mke2fs } version=${version%% *}
  major=${version%%.*} minor=${version#*.} minor=${minor%%[!0-9]*}
  # mke2fs fills a file system from a directory (-d) since e2fsprogs 1.43.
  [ "$major" -gt 1 ] || [ "$minor" -ge 43 ] || missing "mke2fs 1.43 or newer (found $version)"
}

# busybox's shell would take its own mke2fs, which is another program, for a bare name.
path_of() {
  for path_of in /sbin /usr/sbin /usr/local/sbin /bin /usr/bin; do
    [ -x "$path_of/$1" ] && echo "$path_of/$1" && return 0
  done
  return 1
}

# A place for mount points that are not on the root file system, or they would be in the image.
open_stage() {
  mount --make-rprivate / 2>/dev/null
  for stage in /srv /opt /home /media /mnt; do
    [ -d "$stage" ] && [ ! -L "$stage" ] && mount -t tmpfs -o mode=0700 imgspec "$stage" 2>/dev/null && break
    stage=
  done
  [ -n "$stage" ] || problem "no temporary file system could be mounted"
  tree=$stage/root masks=0
  mkdir "$tree"
  # Not recursive: what is mounted below the root stays out, the directories it is mounted on stay in.
  mount --bind "$root" "$tree" || problem "$root could not be mounted a second time"
  mount --make-private "$tree"
}

# Hides the contents of a directory. The empty one in its place has the same owner, mode and time.
empty_directory() {
  facts=$(stat -c '%a %u:%g' "$1") || problem "$1 has gone"
  masks=$((masks + 1))
  mkdir "$stage/$masks" && chown "${facts#* }" "$stage/$masks" && chmod "${facts%% *}" "$stage/$masks" &&
    touch -r "$1" "$stage/$masks" && mount --bind "$stage/$masks" "$1" || problem "${1#"$tree"} could not be left out"
}

# Hides the contents of a file, and notes its name to be taken out of the finished image.
drop_file() {
  case $1 in *'"'* | *'
'*) problem "a name with a quote or a line end cannot be left out: ${1#"$tree"}" ;; esac
  debugfs=$(path_of debugfs) || missing "debugfs (to leave out single files: ${1#"$tree"})"
  true >"$stage/nothing"
  [ -L "$1" ] || mount --bind "$stage/nothing" "$1" || problem "${1#"$tree"} could not be left out"
  echo "rm \"${1#"$tree"}\"" >>"$stage/drops"
}

# For each path that the glob matches: ** stands for any directories between.
each_match() {
  case $1 in
    *'/**/'*)
      after=${1#*/\*\*/}
      for start in $tree${1%%/\*\*/*}; do
        [ -d "$start" ] && [ ! -L "$start" ] || continue
        find "$start" -xdev -type d >"$stage/directories"
        while read -r directory; do
          for match in "$directory"/$after; do leave_out_one "$match"; done
        done <"$stage/directories"
      done
      ;;
    *) for match in $tree$1; do leave_out_one "$match"; done ;;
  esac
}

leave_out_one() {
  if [ -d "$1" ] && [ ! -L "$1" ]; then empty_directory "$1"
  elif [ -z "$contents_only" ] && { [ -e "$1" ] || [ -L "$1" ]; }; then drop_file "$1"; fi
}

leave_out() {
  case $1 in
    / | '/**') problem "the root itself cannot be left out" ;;
    /*'/**') contents_only=yes && each_match "${1%/\*\*}" ;;
    /*) contents_only= && each_match "${1%/}" ;;
    *) problem "not an absolute path: $1" ;;
  esac
}

# The key that let the builder in is of no use later, and must not open the machines that are started from the image.
forget() {
  blob=${1#* } blob=${blob%% *}
  for file in "$tree"/root/.ssh/authorized_keys* "$tree"/home/*/.ssh/authorized_keys* \
    "$tree"/etc/ssh/authorized_keys/* "$tree"/etc/dropbear/authorized_keys; do forget_in "$file"; done
  [ -f "$tree/etc/passwd" ] || return 0
  while IFS=: read -r _ _ _ _ _ home _; do
    [ -n "${home%/}" ] || continue
    for file in "$tree$home"/.ssh/authorized_keys*; do forget_in "$file"; done
  done <"$tree/etc/passwd"
}

forget_in() {
  [ -f "$1" ] && [ ! -L "$1" ] && grep -qF -e "$blob" "$1" || return 0
  masks=$((masks + 1))
  cp -p "$1" "$stage/$masks" && mount --bind "$stage/$masks" "$1" || problem "the build's key is still in ${1#"$tree"}"
  # Through the second name: the mount hides the original, which stays as it is.
  cp -p "$stage/$masks" "$stage/keys" && grep -vF -e "$blob" "$stage/keys" >"$stage/$masks"
  touch -r "$stage/keys" "$stage/$masks"
  rm "$stage/keys"
  tell "note: the build's key is left out of ${1#"$tree"}"
}

# Sets type, device, and for ext2/3/4 uuid, label and the features that the source has.
examine() {
  type= device= uuid= label= features= inode_bytes=256
  while read -r _ _ numbers _ point rest; do
    [ "$point" = "$root" ] || continue
    rest=${rest#*- } type=${rest%% *} rest=${rest#* } device=${rest%% *} block=$numbers
  done </proc/self/mountinfo
  case $type in ext[234]) ;; *) return 0 ;; esac
  if [ ! -b "$device" ]; then
    device=$stage/device
    mknod "$device" b "${block%:*}" "${block#*:}" 2>/dev/null
  fi
  tune2fs=$(path_of tune2fs) && "$tune2fs" -l "$device" >"$stage/facts" 2>/dev/null ||
    { tell "note: the UUID and label of the root cannot be read from $device; the image gets its own"; return; }
  while IFS=: read -r name value; do
    value=${value#"${value%%[! ]*}"}
    case $name in
      "Filesystem UUID") uuid=$value ;;
      "Filesystem volume name") [ "$value" = "<none>" ] || label=$value ;;
      "Filesystem features") features=$value ;;
      "Inode size") inode_bytes=$value ;;
    esac
  done <"$stage/facts"
}

# Only what every boot loader and kernel of the last ten years reads, unless the source itself asks for more.
choose_features() {
  oldest="ext_attr resize_inode dir_index filetype sparse_super large_file"
  newer="has_journal extent flex_bg huge_file uninit_bg dir_nlink extra_isize"
  case $type in
    ext2) plain=$oldest ;;
    ext3) plain="has_journal $oldest" ;;
    *) type=ext4 plain="$oldest $newer" ;;
  esac
  options=none
  for feature in $oldest $newer 64bit metadata_csum; do
    case " ${features:-$plain} " in *[[:space:]]"$feature"[[:space:]]*) options=$options,$feature ;; esac
  done
}

# Sets size_kib: what is there, a fifth more, and 64 MiB.
measure() {
  used_kib=$(du -skx "$tree" 2>/dev/null)
  used_kib=${used_kib%%[!0-9]*}
  files=$(find "$tree" -xdev 2>/dev/null | wc -l)
  if [ -n "$size_mib" ]; then
    size_kib=$((size_mib * 1024))
    [ "$size_kib" -gt "$used_kib" ] ||
      no_room "the files take $((used_kib / 1024 + 1)) MiB, the image is to have $size_mib MiB"
  else
    size_kib=$(((used_kib * 6 / 5 + 65536 + 1023) / 1024 * 1024))
  fi
  inodes=$((files * 6 / 5 + 1024))
  [ "$inodes" -ge $((size_kib / 16)) ] || inodes=$((size_kib / 16))
}

# Opens the image as descriptor 3 and takes its name away. It is sparse: it needs what the files need.
open_image() {
  need_kib=$((used_kib + used_kib / 20 + 32768))
  for scratch in ${TMPDIR:+"$TMPDIR"} /mnt /media/ephemeral0 /var/tmp /tmp; do
    [ -d "$scratch" ] && [ -w "$scratch" ] || continue
    case $scratch in "$stage" | "$stage"/*) continue ;; esac
    free_kib=$(df -kP "$scratch" 2>/dev/null | while read -r _ _ _ free _; do echo "$free"; done)
    free_kib=${free_kib##*[!0-9]}
    [ "${free_kib:-0}" -ge "$need_kib" ] || continue
    image=$scratch/.imgspec-$$.image
    trap 'rm -f "$image"; exit 70' HUP INT TERM
    # A plain command first: in some shells an exec that cannot open its file ends the program.
    true >"$image" || continue
    exec 3<>"$image" && rm -f "$image" || continue
    dd of=/proc/self/fd/3 bs=1024 seek="$size_kib" count=0 2>/dev/null && return 0
  done
  no_room "no directory has $((need_kib / 1024)) MiB free for the image (tried TMPDIR, /mnt, /var/tmp, /tmp)"
}

fill_image() {
  set -- -q -F -t "$type" -b 4096 -I "$inode_bytes" -N "$inodes" -O "$options" -E lazy_itable_init=0,lazy_journal_init=0
  [ -z "$uuid" ] || set -- "$@" -U "$uuid"
  [ -z "$label" ] || set -- "$@" -L "$label"
  "$mke2fs" "$@" -d "$tree" /proc/self/fd/3 $((size_kib / 4)) >"$stage/said" 2>&1 || {
    cat "$stage/said" >&2
    grep -qi -e "no free space" -e "could not allocate" "$stage/said" && no_room "the files do not fit into $((size_kib / 1024)) MiB"
    problem "mke2fs could not make the file system"
  }
  [ -s "$stage/drops" ] || return 0
  "$debugfs" -w -f "$stage/drops" /proc/self/fd/3 >"$stage/said" 2>&1
  ! grep -v -e '^debugfs' -e '^$' -e 'File not found' "$stage/said" >&2 || problem "debugfs could not leave out a file"
}

main() {
  root=/ size_mib= key=
  : "${TMPDIR:=}"
  count=$#
  while [ "$count" -gt 0 ]; do
    case $1 in
      --size) size_mib=$2 ;;
      --root) root=$2 ;;
      --forget) key=$2 ;;
      # Only these stay among the arguments, to be read when the tree is there.
      --exclude) set -- "$@" "$2" ;;
      *) problem "unknown option: $1" ;;
    esac
    shift 2
    count=$((count - 2))
  done
  check_tools
  open_stage
  IFS= # Patterns are expanded unquoted and must not be split.
  [ -z "$key" ] || forget "$key"
  for pattern in "$@"; do leave_out "$pattern"; done
  unset IFS
  tell "phase: measuring the files"
  examine
  case $type in ext[234]) ;; *) tell "note: the root is ${type:-unknown}; the image will be ext4 with a UUID of its own" ;; esac
  choose_features
  measure
  open_image
  tell "phase: writing $files files, $((used_kib / 1024)) MiB, into a file system of $((size_kib / 1024)) MiB"
  fill_image
  tell "image: size=$((size_kib * 1024))"
  tell "phase: sending"
  exec cat <&3
}

main "$@" </dev/null
