# Filling a new file system through the kernel: mounted by a loop device that goes away with the namespace.

# Lists in `unmountable` what it takes and is not there.
look_for_mounting() {
  unmountable= cp_says=
  gnu_cp=$(path_of cp) && cp_says=$("$gnu_cp" --version 2>/dev/null)
  case $cp_says in
    *GNU* | *uutils*) ;;
    *) unmountable="cp of GNU coreutils, which copies extended attributes (coreutils)$newline" ;;
  esac
  [ -e /dev/loop-control ] || [ -b /dev/loop0 ] || unmountable="${unmountable}a loop device (kernel module loop)$newline"
}

# $1 the options. The image loses its name in any case.
mount_new() {
  mkdir -p "$stage/new"
  mount -n -t "$type" -o "loop,$1" "$image" "$stage/new" 2>"$stage/said"
  mounting=$?
  rm -f "$image"
  return "$mounting"
}

cannot_mount() {
  cat "$stage/said" >&2
  tell "hint: run modprobe loop in a provision step$1"
  problem "the new $type could not be mounted through a loop device"
}

fill_mounted() {
  copy_tree
  while IFS= read -r name; do
    rm -f "$stage/new$name"
    same_time "${name%/*}"
  done <"$stage/drops"
  find "$stage/new" -type s -exec sh -c 'tree=$1 new=$2; shift 2
    for name; do rm -f "$name"; name=${name%/*}; touch -r "$tree${name#"$new"}/." "$name/."; done' sh "$tree" "$stage/new" {} +
  if [ -n "$added" ]; then
    rm -f "$stage/new$added"
    cp -p "$stage/new-fstab" "$stage/new$added"
    same_time "${added%/*}"
  fi
  umount -n "$stage/new" || problem "the new $type could not be unmounted"
}

# A directory that something was taken from did not change.
same_time() { touch -r "$tree$1/." "$stage/new$1/."; }

# cp passes over what goes away while it copies, and over what is replaced; the latter must be in the image.
copy_tree() {
  gone='No such file or directory|Stale file handle' replaced='replaced while being copied'
  try=1
  set -- -a
  until "$gnu_cp" "$@" "$tree/." "$stage/new/" 2>"$stage/said"; do
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
