# An xfs file system, which only the kernel can fill: mounted through a loop device that goes away with the namespace.

fill_xfs() {
  choose_xfs
  set -- -q -f -m "uuid=$uuid$meta" -i "size=$inode_size$inode_more"
  # With checksums it is always on, and older versions do not let it be named.
  [ -z "$old" ] || set -- "$@" -n "ftype=$ftype"
  [ -z "$label" ] || set -- "$@" -L "$label"
  "$mkfs_xfs" "$@" "$image" >"$stage/said" 2>&1 || { cat "$stage/said" >&2; problem "mkfs.xfs could not make the file system"; }
  mkdir "$stage/xfs"
  # nouuid: the root that runs has the same UUID.
  mount -n -t xfs -o loop,nouuid "$image" "$stage/xfs" 2>"$stage/said" || {
    cat "$stage/said" >&2
    tell "hint: run modprobe loop in a provision step, or take a source AMI whose root is ext4"
    problem "the new xfs could not be mounted through a loop device"
  }
  rm -f "$image"
  "$gnu_cp" -a "$tree/." "$stage/xfs/" 2>"$stage/said" || {
    grep -qi 'no space left' "$stage/said" && no_room "the files do not fit into $((fs_kib / 1024)) MiB"
    ! grep -v -e 'No such file or directory' -e 'Stale file handle' "$stage/said" >&2 || problem "cp could not fill the file system"
    tell "note: files went away while they were copied: $(last_line "$stage/said")"
  }
  while IFS= read -r name; do rm -f "$stage/xfs$name"; done <"$stage/drops"
  find "$stage/xfs" -type s -exec rm -f {} +
  if [ -n "$added" ]; then
    rm -f "$stage/xfs$added"
    cp -p "$stage/new-fstab" "$stage/xfs$added"
  fi
  umount -n "$stage/xfs" || problem "the new xfs could not be unmounted"
}

# The features of the source as far as this machine's mkfs.xfs and xfs_info know them: its boot loader must read them.
choose_xfs() {
  inode_size=512 ftype=1 old= meta= inode_more=
  for fact in $(cat "$stage/facts"); do
    fact=${fact%,}
    case $fact in
      isize=*) inode_size=${fact#*=} ;;
      ftype=*) ftype=${fact#*=} ;;
      crc=0) old=yes meta=$meta,$fact ;;
      crc=* | finobt=* | rmapbt=* | reflink=* | bigtime=* | inobtcount=*) meta=$meta,$fact ;;
      nrext64=* | exchange=*) inode_more=$inode_more,$fact ;;
      sparse=[01]) inode_more=$inode_more,$fact ;;
    esac
  done
}
