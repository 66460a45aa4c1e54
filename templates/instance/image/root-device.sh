# The file system of the root: what it is and what it lies on.

# A container or a user namespace has no disk of its own; nor has a directory that is not a mount point.
contained() {
  [ -n "$point" ] || return 0
  [ "$root" = / ] || return 1
  # A kernel without user namespaces has no such file.
  if [ -f /proc/self/uid_map ]; then
    read -r first outside count </proc/self/uid_map
    [ "$first $outside $count" = "0 0 4294967295" ] || return 0
  fi
  [ -e /run/.containerenv ] || [ -e /.dockerenv ] || [ -e /run/systemd/container ]
}

# Sets type, device, numbers (major:minor), and inside: the directory of the file system that is the root.
find_root() {
  type= device= numbers= inside=/ point= flags=
  while read -r _ _ each_numbers each_inside each_point each_flags rest; do
    [ "$each_point" = "$root" ] || continue
    rest=${rest#*- }
    numbers=$each_numbers inside=$each_inside point=$each_point flags=$each_flags
    type=${rest%% *} rest=${rest#* } device=${rest%% *} flags=$flags,${rest#* }
  done </proc/self/mountinfo
  free=
  contained && free=yes
  [ "$want" != none ] || free=yes
}

# Refuses a root whose image would not boot. `free`: whoever asks sees to that himself, or nothing boots it.
judge_root() {
  way_out="take a source AMI whose root is ext2, ext3, ext4 or xfs on a partition or a plain disk; or set bundle.partition: none and bundle.fstab: generate, for a bare file system whose boot you see to yourself"
  case $type in
    ext[234] | xfs) ;;
    *)
      [ -n "$free" ] || objection "the root is ${type:-of an unknown file system}, which cannot be copied into an image that boots" "$way_out"
      return
      ;;
  esac
  [ -z "$free" ] || return 0
  case ,$flags, in
    *,ro,*) objection "the root is mounted read-only, perhaps after an error of its file system" "look at the kernel's log; where it is so on purpose, mount it for writing (mount -o remount,rw /) in a provision step and set bundle.needs: warn" ;;
  esac
  [ "$inside" = / ] || objection "the root is the directory $inside of its file system, not the whole of it" "$way_out"
  system=/sys/dev/block/$numbers
  [ -z "$disk" ] || return 0
  if [ -d "$system/dm" ]; then
    uuid=$(cat "$system/dm/uuid" 2>/dev/null)
    case $uuid in
      LVM-*) what="a logical volume (LVM)" ;;
      CRYPT-*) what="encrypted (LUKS)" ;;
      mpath-*) what="a multipath device" ;;
      *) what="a device of the device mapper" ;;
    esac
    objection "the root is $what" "$way_out"
  elif [ -d "$system/md" ]; then objection "the root is a RAID array" "$way_out"
  elif [ -d "$system/bcache" ]; then objection "the root is a bcache device" "$way_out"; fi
}

# A name under which a block device can be read, whatever mountinfo calls it (/dev/root).
node_of() {
  if [ -b "$1" ]; then echo "$1"
  elif mknod "$stage/$3" b "${2%:*}" "${2#*:}" 2>/dev/null; then echo "$stage/$3"; fi
}

# Sets uuid, label, and what else the image takes over from the root's own file system.
examine() {
  uuid= label= features= inode_bytes=256
  case $type in
    ext[234]) examine_ext ;;
    xfs) examine_xfs ;;
    *)
      [ "$failing" != 0 ] || tell "note: the root is ${type:-a directory}; the image will be ext4 with a UUID of its own"
      type=ext4
      ;;
  esac
}

examine_ext() {
  node=$(node_of "$device" "$numbers" device)
  if [ -z "$tune2fs" ] || [ -z "$node" ] || ! "$tune2fs" -l "$node" >"$stage/facts" 2>/dev/null; then
    [ -z "$tune2fs" ] || if [ -n "$free" ]; then
      tell "note: the UUID and label of the root cannot be read from $device; the image gets its own"
    else
      objection "the UUID and label of the root cannot be read from $device"
    fi
    return
  fi
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

examine_xfs() {
  node=$(node_of "$device" "$numbers" device)
  [ -n "$blkid" ] && [ -n "$xfs_info" ] || return 0
  uuid=$("$blkid" -p -s UUID -o value "$node" 2>/dev/null)
  label=$("$blkid" -p -s LABEL -o value "$node" 2>/dev/null)
  "$xfs_info" "$root" >"$stage/facts" 2>/dev/null && [ -n "$uuid" ] ||
    objection "what its xfs is like cannot be read from $device"
}
