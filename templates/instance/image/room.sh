# How large the image becomes, and where it is made.

limit_mib=10240 # What EC2 takes (docs/limits.md).

# Sets fs_kib, fs_sectors, total_sectors: what is there, a fifth more and 64 MiB; or what was asked for.
measure() {
  used_kib=$(du -sk "$tree" 2>/dev/null)
  used_kib=${used_kib%%[!0-9]*}
  files=$(find "$tree" 2>/dev/null | wc -l)
  files=${files##*[!0-9]}
  plan_table
  if [ -n "$size_mib" ]; then
    total_sectors=$((size_mib * 2048))
    # Whole blocks of 4 KiB.
    fs_sectors=$(((total_sectors - head_sectors - tail_sectors) / 8 * 8))
    [ $((fs_sectors / 2)) -gt "$used_kib" ] ||
      no_room "the files take $((used_kib / 1024 + 1)) MiB$(boot_words), the image is to have $size_mib MiB"
  else
    fs_sectors=$(((used_kib * 6 / 5 + 65536 + 1023) / 1024 * 2048))
    # mkfs.xfs makes nothing smaller than 300 MiB.
    [ "$type" != xfs ] || [ "$fs_sectors" -ge 655360 ] || fs_sectors=655360
    # Less room to spare, rather than no image, as long as the file system's own 4 % are left.
    most_sectors=$(((limit_mib * 2048 - head_sectors - tail_sectors) / 8 * 8))
    [ "$fs_sectors" -le "$most_sectors" ] || [ $((used_kib * 104 / 50)) -gt "$most_sectors" ] || fs_sectors=$most_sectors
    total_sectors=$(((head_sectors + fs_sectors + tail_sectors + 2047) / 2048 * 2048))
  fi
  fs_kib=$((fs_sectors / 2))
  [ "$total_sectors" -le $((limit_mib * 2048)) ] || no_room "the image would have $((total_sectors / 2048)) MiB, and EC2 takes $limit_mib MiB: the files take $((used_kib / 1024 + 1)) MiB$(boot_words)"
  inodes=$((files * 6 / 5 + 1024))
  [ "$inodes" -ge $((fs_kib / 16)) ] || inodes=$((fs_kib / 16))
  need_kib=$((used_kib + used_kib / 20 + 32768))
}

boot_words() { [ "$head_sectors" -lt 4096 ] || echo " and what lies in front of the root $((head_sectors / 2048)) MiB"; }

# Sets scratch to a directory with need_kib free.
find_scratch() {
  roomiest=0
  for scratch in ${TMPDIR:+"$TMPDIR"} /mnt /media/ephemeral0 /var/tmp /tmp; do
    [ -d "$scratch" ] && [ -w "$scratch" ] || continue
    case $scratch in "$stage" | "$stage"/*) continue ;; esac
    free_kib=$(df -kP "$scratch" 2>/dev/null | while read -r _ _ _ each_free _; do echo "$each_free"; done)
    free_kib=${free_kib##*[!0-9]}
    [ "${free_kib:-0}" -lt "$roomiest" ] || roomiest=${free_kib:-0}
    [ "${free_kib:-0}" -ge "$need_kib" ] && return 0
  done
  return 1
}

crowded_words() {
  echo "no directory has $((need_kib / 1024)) MiB free for the image, $((roomiest / 1024)) MiB at most (tried TMPDIR, /mnt, /media/ephemeral0, /var/tmp, /tmp)"
}

# Opens the image as descriptor 3. It is sparse: it needs what the files need.
open_image() {
  find_scratch || no_room "$(crowded_words)"
  image=$scratch/.imgspec-$$.image
  trap 'rm -f "$image"' EXIT
  trap 'rm -f "$image"; exit 70' HUP INT TERM
  # Anybody may have put a link under this name into /tmp: set -C makes a new file (O_EXCL) or none. In a subshell, since
  # in some shells an exec that cannot open its file ends the program.
  rm -f "$image"
  (set -C && : >"$image") || problem "nothing can be written to $scratch"
  exec 3<>"$image"
  # A loop device wants the name a moment longer.
  [ -z "$unmountable" ] || rm -f "$image"
  blank_image
}

blank_image() {
  dd of=/proc/self/fd/3 bs=1024 seek=0 count=0 2>/dev/null
  dd of=/proc/self/fd/3 bs=1024 seek="$fs_kib" count=0 2>/dev/null || no_room "the image of $((fs_kib / 1024)) MiB cannot be made in $scratch"
}

# Right after connecting: whether there is room for what is there now. What is left out is measured only if it matters.
check_room() {
  used_kib=$(df -kP "$root" 2>/dev/null | while read -r _ _ each_used _; do echo "$each_used"; done)
  used_kib=${used_kib##*[!0-9]}
  most_mib=${size_mib:-$limit_mib}
  for look in quick exact; do
    need_kib=$((used_kib + used_kib / 20 + 32768))
    find_scratch && [ $((used_kib / 1024)) -lt "$most_mib" ] && return 0
    [ "$look" = quick ] || continue
    open_tree
    each_of leave_out "$excludes"
    used_kib=$(du -sk "$tree" 2>/dev/null)
    used_kib=${used_kib%%[!0-9]*}
  done
  [ $((used_kib / 1024)) -lt "$most_mib" ] ||
    crowded "the files take $((used_kib / 1024 + 1)) MiB already, the image is to have $most_mib MiB at most"
  find_scratch || crowded "$(crowded_words)"
}
