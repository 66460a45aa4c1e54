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
  fill_mounted
  while IFS= read -r name; do rm -f "$stage/xfs$name"; done <"$stage/drops"
  find "$stage/xfs" -type s -exec rm -f {} +
  if [ -n "$added" ]; then
    rm -f "$stage/xfs$added"
    cp -p "$stage/new-fstab" "$stage/xfs$added"
  fi
  umount -n "$stage/xfs" || problem "the new xfs could not be unmounted"
}

# cp passes over what goes away while it copies, and over what is replaced; the latter must be in the image.
fill_mounted() {
  gone='No such file or directory|Stale file handle' replaced='replaced while being copied'
  try=1
  set -- -a
  until "$gnu_cp" "$@" "$tree/." "$stage/xfs/" 2>"$stage/said"; do
    cp_code=$?
    ! grep -qi 'no space left' "$stage/said" || no_room "the files do not fit into $((fs_kib / 1024)) MiB"
    ! grep -vE "$gone|$replaced" "$stage/said" >&2 && [ "$cp_code" = 1 ] || problem "cp could not fill the file system"
    ! grep -E "$gone" "$stage/said" >"$stage/told" || tell "note: files went away while they were copied: $(last_line "$stage/told")"
    grep "$replaced" "$stage/said" >"$stage/told" || break
    try_again || {
      tell "hint: stop what replaces it in a last provision step, or leave it out with bundle.exclude"
      problem "a file is replaced each time that it is copied ($(last_line "$stage/told"))"
    }
    tell "note: a file was replaced while it was copied ($(last_line "$stage/told")); copying again what is missing or newer"
    set -- -au --remove-destination
  done
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
