# The order of it all.

main() {
  root=/ size_mib= key= want=auto fstab=keep checking= disk= start= added=
  excludes= includes= allow=
  mke2fs= debugfs= tune2fs= mkfs_xfs= xfs_info= blkid= old_mke2fs= unmountable=
  : "${TMPDIR:=}"
  while [ $# -gt 0 ]; do
    case $1 in
      --partition) want=$2 ;;
      --size) size_mib=$2 ;;
      --root) root=$2 ;;
      --disk) disk=$2 ;;
      --start) start=$2 ;;
      --forget) key=$2 ;;
      --fstab) fstab=$2 ;;
      --check) checking=$2 ;;
      --exclude) excludes=$excludes$2$newline ;;
      --include) includes=$includes$2$newline ;;
      --allow) allow=$allow$2$newline ;;
      --hygiene) set_hygiene "$2" ;;
      *) problem "unknown option: $1" ;;
    esac
    shift 2
  done
  look
  settle
  [ -z "$checking" ] || exit 0
  make
}

# Everything that can stand in the way, before anything is done.
look() {
  check_tools
  # Without these nothing else can be looked at.
  settle
  open_stage
  find_root
  judge_root
  case $type in
    xfs) check_xfs_tools ;;
    ext[234]) check_ext_tools ;;
    *) [ -z "$free" ] || check_ext_tools ;;
  esac
  examine
  find_table
  choose_table
  check_boot_loader
  [ "$failing" != 0 ] || tell "table: $table"
  [ -z "$checking" ] || [ "$failing" != 0 ] || check_room
}

make() {
  open_tree
  each_of leave_out "$excludes"
  each_of take_in "$includes"
  settle_fstab
  run_hook
  check_hygiene
  tell "phase: measuring the files"
  measure
  make_table
  open_image
  tell "phase: writing $files files, $((used_kib / 1024)) MiB, into $type of $((fs_kib / 1024)) MiB$(place_words)"
  case $type in
    xfs) fill_xfs ;;
    *) fill_ext ;;
  esac
  tell "image: size=$((total_sectors * 512))"
  tell "phase: sending"
  if [ "$table" = none ]; then exec cat <&3; fi
  send
}

place_words() { [ "$table" = none ] || echo " at sector $start of a disk with $(words_for "$table")"; }

main "$@" </dev/null
