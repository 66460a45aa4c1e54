# What stands before and behind the file system in an image with a partition table. The boot area (boot loader, table, EFI
# system partition, whatever lies before the root) is copied as it is, but for the sizes that the table names.

# Sets head_sectors, tail_sectors: what a table takes beside the file system.
plan_table() {
  case $table in
    none) head_sectors=0 tail_sectors=0 ;;
    mbr) head_sectors=$start tail_sectors=0 ;;
    gpt) head_sectors=$start tail_sectors=$((entry_sectors + 1)) ;;
  esac
}

# Writes bytes given as numbers.
emit() {
  text=
  for byte; do text="$text\\$((byte / 64))$((byte / 8 % 8))$((byte % 8))"; done
  printf "$text"
}

# Sets bytes: NUMBER in COUNT little-endian ones.
bytes_of() {
  bytes= value=$1 count=$2
  while [ "$count" -gt 0 ]; do
    bytes="$bytes $((value % 256))"
    value=$((value / 256)) count=$((count - 1))
  done
}

# Goes on with crc over these bytes (CRC-32 as in zlib); begin with 4294967295, and turn all bits of the end.
crc_over() {
  for byte; do
    crc=$((crc ^ byte))
    crc=$(((crc >> 1) ^ (3988292384 * (crc & 1)))) crc=$(((crc >> 1) ^ (3988292384 * (crc & 1))))
    crc=$(((crc >> 1) ^ (3988292384 * (crc & 1)))) crc=$(((crc >> 1) ^ (3988292384 * (crc & 1))))
    crc=$(((crc >> 1) ^ (3988292384 * (crc & 1)))) crc=$(((crc >> 1) ^ (3988292384 * (crc & 1))))
    crc=$(((crc >> 1) ^ (3988292384 * (crc & 1)))) crc=$(((crc >> 1) ^ (3988292384 * (crc & 1))))
  done
}

# Makes stage/head, the first MiB or less of the image, and stage/tail, the last sectors, for a file system of
# fs_sectors in an image of total_sectors.
make_table() {
  : >"$stage/head" && : >"$stage/tail"
  [ "$table" != none ] || return 0
  # What the kernel still holds of partitions in front, mounted ones.
  [ "$head_sectors" -le 2048 ] || { sync; blockdev --flushbufs "$disk" 2>/dev/null; }
  whole=$head_sectors
  [ "$whole" -le 2048 ] || whole=2048
  dd if="$disk" bs=512 count="$whole" of="$stage/head" 2>/dev/null || problem "the boot area of $disk cannot be read"
  dropped=0
  patch_mbr
  [ "$table" != gpt ] || patch_gpt
  [ "$dropped" = 0 ] || tell "note: left out of the image: $dropped partition(s) behind the root"
}

patch_mbr() {
  for index in 0 1 2 3; do
    set -- $(mbr_entry "$stage/head" "$index")
    number_of "$9" "${10}" "${11}" "${12}"
    if [ "$5" = 238 ]; then size=$((total_sectors - 1))
    elif [ "$table" = gpt ] || [ "$5" = 0 ] || [ "$number" -lt "$start" ]; then continue
    elif [ "$number" = "$start" ]; then size=$fs_sectors
    else
      dropped=$((dropped + 1))
      write_mbr "$index" 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
      continue
    fi
    [ "$size" -le 4294967295 ] || size=4294967295
    bytes_of "$size" 4
    # The end in cylinders, heads and sectors says "beyond", as every tool writes it today.
    write_mbr "$index" "$1" "$2" "$3" "$4" "$5" 254 255 255 "$9" "${10}" "${11}" "${12}" $bytes
  done
}

write_mbr() {
  offset=$((446 + 16 * $1))
  shift
  emit "$@" | dd of="$stage/head" bs=1 seek="$offset" conv=notrunc 2>/dev/null
}

patch_gpt() {
  crc=4294967295
  while read -r kind && read -r id && read -r place && read -r b && read -r c && read -r d && read -r e && read -r f; do
    case $kind in
      *[1-9]*)
        set -- $place
        number_of "$1" "$2" "$3" "$4" "$5" "$6" "$7" "$8"
        if [ "$number" = "$start" ]; then
          bytes_of $((start + fs_sectors - 1)) 8
          place="$1 $2 $3 $4 $5 $6 $7 $8 $bytes"
        elif [ "$number" -gt "$start" ]; then
          dropped=$((dropped + 1))
          kind="0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0"
          id=$kind place=$kind b=$kind c=$kind d=$kind e=$kind f=$kind
        fi
        ;;
    esac
    crc_over $kind $id $place $b $c $d $e $f
    emit $kind $id $place $b $c $d $e $f >>"$stage/tail"
  done <"$stage/entries"
  bytes_of $((crc ^ 4294967295)) 4 && entries_crc=$bytes
  dd if="$stage/tail" of="$stage/head" bs=512 seek="$entries_at" conv=notrunc 2>/dev/null
  gpt_header 1 $((total_sectors - 1)) "$entries_at" | dd of="$stage/head" bs=512 seek=1 conv=notrunc 2>/dev/null
  gpt_header $((total_sectors - 1)) 1 $((total_sectors - tail_sectors)) >>"$stage/tail"
}

# A header that is at sector MINE, with its twin at OTHER and its entries at ENTRIES (UEFI specification, 5.3.2).
gpt_header() {
  bytes_of "$1" 8 && mine=$bytes
  bytes_of "$2" 8 && other=$bytes
  bytes_of "$3" 8 && at=$bytes
  bytes_of $((total_sectors - tail_sectors - 1)) 8 && last=$bytes
  set -- $header_3 && first="$9 ${10} ${11} ${12} ${13} ${14} ${15} ${16}"
  set -- $header_4 && id="$9 ${10} ${11} ${12} ${13} ${14} ${15} ${16}"
  set -- $header_5 && id="$id $1 $2 $3 $4 $5 $6 $7 $8"
  set -- $header_6 && sizes="$1 $2 $3 $4 $5 $6 $7 $8"
  rest="0 0 0 0 $mine $other $first $last $id $at $sizes $entries_crc"
  crc=4294967295
  crc_over $header_1 0 0 0 0 $rest
  bytes_of $((crc ^ 4294967295)) 4
  emit $header_1 $bytes $rest
  dd if=/dev/zero bs=420 count=1 2>/dev/null
}

# Writes the image: boot area, file system, room up to the tail, tail.
send() {
  cat "$stage/head"
  if [ "$head_sectors" -gt 2048 ]; then
    dd if="$disk" bs=1048576 skip=1 count=$((head_sectors / 2048 - 1)) 2>/dev/null || exit 70
    dd if="$disk" bs=512 skip=$((head_sectors / 2048 * 2048)) count=$((head_sectors % 2048)) 2>/dev/null || exit 70
  fi
  cat <&3 || exit 70
  dd if=/dev/zero bs=512 count=$((total_sectors - head_sectors - fs_sectors - tail_sectors)) 2>/dev/null || exit 70
  cat "$stage/tail"
}
