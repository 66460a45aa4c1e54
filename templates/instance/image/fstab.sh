# /etc/fstab in the image, and the hook.

settle_fstab() {
  table_file=$tree/etc/fstab
  case $fstab in
    keep) [ ! -f "$table_file" ] || each_entry <"$table_file" tell_lost ;;
    given)
      printf '%s' "$given_fstab" >"$stage/fstab"
      write_fstab <"$stage/fstab"
      ;;
    generate)
      generate_fstab >"$stage/fstab"
      write_fstab <"$stage/fstab"
      ;;
    *) problem "neither keep, generate nor given: $fstab" ;;
  esac
}

write_fstab() {
  [ -d "$tree/etc" ] || problem "there is no /etc for the fstab"
  if [ -f "$table_file" ] && [ ! -L "$table_file" ]; then
    replace_file "$table_file" || problem "/etc/fstab is not in the image"
    cat >"$copy"
  else
    # None, or a link that leads elsewhere: the image's own goes in when it is made.
    cat >"$stage/new-fstab"
    chmod 644 "$stage/new-fstab"
    added=/etc/fstab
  fi
  tell "note: the image's /etc/fstab is another than the machine's (bundle.fstab: $fstab)"
}

# Calls a function with the fields of each entry on stdin.
each_entry() {
  while read -r what where kind options more; do
    case $what in '' | '#'*) ;; *) "$1" "$what" "$where" "$kind" "$options" ;; esac
  done
}

# Says which entries of a kept fstab have nothing to mount in the image: a boot may wait for them in vain.
tell_lost() {
  case $1 in /dev/* | UUID=* | LABEL=* | PARTUUID=* | PARTLABEL=*) ;; *) return 0 ;; esac
  case ,$4, in *,nofail,* | *,noauto,*) return 0 ;; esac
  [ "$2" != / ] && ! in_boot_area "$2" || return 0
  tell "note: /etc/fstab names $1 for $2, which is not in the image; without nofail a boot may wait for it (bundle.fstab: generate leaves it out)"
}

# Whether what is mounted there lies on the root's own disk in front of the root, and so is in the image.
in_boot_area() {
  [ "$table" != none ] || return 1
  while read -r _ _ each_numbers _ each_point _; do
    [ "$each_point" = "$1" ] && [ -f "/sys/dev/block/$each_numbers/start" ] || continue
    read -r each_parent <"/sys/dev/block/$each_numbers/../dev"
    read -r own_parent <"/sys/dev/block/$numbers/../dev" 2>/dev/null || return 1
    read -r each_start <"/sys/dev/block/$each_numbers/start"
    [ "$each_parent" = "$own_parent" ] && [ "$each_start" -lt "$start" ] && return 0
  done </proc/self/mountinfo
  return 1
}

# The root by its UUID, the partitions in front of it as they were, and what systems of before systemd need.
generate_fstab() {
  [ -n "$uuid" ] || uuid=$(cat /proc/sys/kernel/random/uuid)
  check=1
  [ "$type" != xfs ] || check=0
  echo "# Written when this image was made (bundle.fstab: generate)."
  echo "UUID=$uuid / $type defaults 0 $check"
  [ ! -f "$table_file" ] || each_entry <"$table_file" keep_boot
  echo "none /proc proc defaults 0 0"
  echo "none /sys sysfs defaults 0 0"
  echo "none /dev/pts devpts gid=5,mode=620 0 0"
}

keep_boot() { ! in_boot_area "$2" || echo "$1 $2 $3 $4 0 2"; }

# Runs the hook with the tree as its argument. What it changes goes into the overlay, and so into the image alone.
run_hook() {
  [ -n "$given_hook" ] || return 0
  tell "phase: running bundle.script"
  printf '%s' "$given_hook" >"$stage/hook"
  chmod 700 "$stage/hook"
  (umask 022 && exec "$stage/hook" "$tree" </dev/null >&2) || problem "bundle.script ended with exit code $?"
}
