# An xfs file system, which only the kernel can fill.

fill_xfs() {
  choose_xfs
  set -- -q -f -m "uuid=$uuid$meta" -i "size=$inode_size$inode_more"
  # With checksums it is always on, and older versions do not let it be named.
  [ -z "$old" ] || set -- "$@" -n "ftype=$ftype"
  [ -z "$label" ] || set -- "$@" -L "$label"
  "$mkfs_xfs" "$@" "$image" >"$stage/said" 2>&1 || { cat "$stage/said" >&2; problem "mkfs.xfs could not make the file system"; }
  # nouuid: the root that runs has the same UUID.
  mount_new nouuid || cannot_mount ", or take a source AMI whose root is ext4"
  fill_mounted
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
