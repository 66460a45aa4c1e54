# An ext2, ext3 or ext4 file system: filled through the kernel where it can be mounted, else by mke2fs, which takes longer.

# Only what every boot loader and kernel of the last ten years reads, unless the source itself asks for more.
choose_features() {
  oldest="ext_attr resize_inode dir_index filetype sparse_super large_file"
  newer="has_journal extent flex_bg huge_file uninit_bg dir_nlink extra_isize"
  case $type in
    ext2) plain=$oldest ;;
    ext3) plain="has_journal $oldest" ;;
    *) plain="$oldest $newer" ;;
  esac
  options=none
  for feature in $oldest $newer 64bit metadata_csum; do
    case " ${features:-$plain} " in *[[:space:]]"$feature"[[:space:]]*) options=$options,$feature ;; esac
  done
}

fill_ext() {
  choose_features
  [ -n "$unmountable" ] || {
    make_ext || { cat "$stage/said" >&2; problem "mke2fs could not make the file system"; }
    if mount_new acl,user_xattr; then
      fill_mounted
      # As if it had never been mounted anywhere else.
      "$tune2fs" -C 0 -M / /proc/self/fd/3 >"$stage/said" 2>&1 || { cat "$stage/said" >&2; problem "tune2fs could not finish the file system"; }
      return
    fi
    [ -z "$old_mke2fs" ] || cannot_mount ", or install e2fsprogs 1.43 or newer"
    blank_image
  }
  fill_unmounted
}

fill_unmounted() {
  try=1
  while ! make_ext -d "$tree"; do
    # mke2fs gives up when a file goes away between the listing and the copy, as they do on a running system.
    grep -qi -e 'no such file' -e 'not found' -e 'stale file' "$stage/said" && try_again ||
      { cat "$stage/said" >&2; problem "mke2fs could not make the file system"; }
    tell "note: a file went away while it was copied ($(last_line "$stage/said")); trying again"
    blank_image
  done
  mend_ext
}

# Lets five tries pass, and a moment between them: whatever changes files may well be done by then.
try_again() {
  [ "$try" -lt 5 ] || return 1
  sleep "$try"
  try=$((try + 1))
}

last_line() { while IFS= read -r each_line || [ -n "$each_line" ]; do last=$each_line; done <"$1"; echo "$last"; }

# $@ more options.
make_ext() {
  set -- "$@" -q -F -t "$type" -b 4096 -I "$inode_bytes" -N "$inodes" -O "$options" -E lazy_itable_init=0,lazy_journal_init=0
  [ -z "$uuid" ] || set -- "$@" -U "$uuid"
  [ -z "$label" ] || set -- "$@" -L "$label"
  "$mke2fs" "$@" /proc/self/fd/3 $((fs_kib / 4)) >"$stage/said" 2>&1 && return 0
  ! grep -qi -e "no free space" -e "could not allocate" "$stage/said" || {
    cat "$stage/said" >&2
    no_room "the files do not fit into $((fs_kib / 1024)) MiB"
  }
  return 1
}

# What mke2fs -d does not do: names left out, sockets, the root directory's own mode and owner, an fstab where there was none.
mend_ext() {
  find "$tree" -type s ! -path "*$newline*" 2>/dev/null >"$stage/sockets"
  {
    while IFS= read -r name; do echo "rm \"$name\""; done <"$stage/drops"
    while IFS= read -r name; do
      case $name in *'"'*) ;; "$tree"/*) echo "rm \"${name#"$tree"}\"" ;; esac
    done <"$stage/sockets"
    facts=$(stat -c '%a %u %g %Y' "$tree")
    set -- $facts
    # Three digits, or four with a special bit.
    echo "set_inode_field <2> mode 04$(printf %04o "0$1")"
    echo "set_inode_field <2> uid $2"
    echo "set_inode_field <2> gid $3"
    echo "set_inode_field <2> mtime @$4"
    if [ -n "$added" ]; then
      echo "rm $added"
      echo "cd ${added%/*}"
      echo "write $stage/new-fstab ${added##*/}"
      echo "set_inode_field ${added##*/} mode 0100644"
    fi
  } >"$stage/mends"
  "$debugfs" -w -f "$stage/mends" /proc/self/fd/3 >"$stage/said" 2>&1
  ! grep -v -e '^debugfs' -e '^$' -e 'File not found' -e '^Allocated inode' "$stage/said" >&2 ||
    problem "debugfs could not mend the file system"
}
