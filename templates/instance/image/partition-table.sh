# The disk of the root: which partition table it has and where the root lies on it. Sectors are of 512 bytes.

# The bytes of sectors as decimal numbers: FILE FIRST COUNT.
sectors() { dd if="$1" bs=512 skip="$2" count="$3" 2>/dev/null | od -An -v -tu1; }

# Sets number: the little-endian one of these bytes.
number_of() {
  number=0 factor=1
  for byte; do number=$((number + byte * factor)) factor=$((factor * 256)); done
}

# Sets disk, start and table: none, gpt, mbr or unknown.
find_table() {
  table=none
  if [ -z "$disk" ]; then
    system=/sys/dev/block/$numbers
    [ -f "$system/partition" ] || return 0
    read -r start <"$system/start"
    read -r parent <"$system/../dev"
    name=disk
    while IFS='=' read -r field value; do [ "$field" != DEVNAME ] || name=$value; done <"$system/../uevent"
    disk=$(node_of "/dev/$name" "$parent" disk)
    read -r sector_bytes <"$system/../queue/logical_block_size"
    [ "$sector_bytes" = 512 ] || objection "the sectors of /dev/$name have $sector_bytes bytes, those of an image have 512"
  fi
  table=unknown
  # Numbers that begin with blanks: unquoted on purpose, here and wherever bytes are words.
  set -- $(sectors "$disk" 0 1)
  [ $# = 512 ] || { objection "the disk of the root cannot be read: ${disk:-/dev/$name}"; return; }
  [ "${511} ${512}" = "85 170" ] || return 0
  table=mbr
  for type_byte in "${451}" "${467}" "${483}" "${499}"; do [ "$type_byte" != 238 ] || table=gpt; done
}

words_for() {
  case $1 in
    none) echo "no partition table" ;;
    gpt) echo "a GPT" ;;
    mbr) echo "an MBR table" ;;
    *) echo "a partition table of another kind" ;;
  esac
}

# Makes `table` the one that the image gets.
choose_table() {
  found=$table
  case $want in
    none)
      [ "$found" = none ] || tell "note: bundle.partition is none: the partition table and boot loader of $disk stay out"
      table=none
      return
      ;;
    auto)
      [ "$found" != unknown ] || objection "$disk has $(words_for unknown), neither MBR nor GPT" \
        "set bundle.partition: none for a bare file system"
      ;;
    *)
      [ "$found" = "$want" ] || objection \
        "bundle.partition is $want, and the disk of the root has $(words_for "$found")${disk:+ ($disk)}" \
        "leave bundle.partition out to take what the disk has; another table would need another boot loader"
      ;;
  esac
  case $table in
    gpt) check_gpt ;;
    mbr) check_mbr ;;
  esac
}

# Sets entries_at, entry_sectors and header_4 to header_6 (16 bytes of the header each) of the primary GPT.
check_gpt() {
  sectors "$disk" 1 1 >"$stage/header"
  { read -r header_1 && read -r _ && read -r header_3 && read -r header_4 && read -r header_5 && read -r header_6; } <"$stage/header"
  set -- $header_1 $header_5 $header_6
  # "EFI PART"
  [ "$1 $2 $3 $4 $5 $6 $7 $8" = "69 70 73 32 80 65 82 84" ] || { objection "the GPT of $disk has no header" "$repair"; return; }
  number_of "${13}" "${14}" "${15}" "${16}" && header_bytes=$number
  number_of "${25}" "${26}" "${27}" "${28}" "${29}" "${30}" "${31}" "${32}" && entries_at=$number
  number_of "${33}" "${34}" "${35}" "${36}" && entry_count=$number entry_sectors=$((number / 4))
  number_of "${37}" "${38}" "${39}" "${40}" && entry_bytes=$number
  [ "$header_bytes $entry_bytes" = "92 128" ] || { objection "the GPT of $disk has entries of $entry_bytes bytes" "$repair"; return; }
  [ $((entries_at + entry_sectors)) -le "$start" ] && [ "$entry_sectors" -ge 1 ] && [ "$entry_sectors" -le 256 ] &&
    [ "$entries_at" -ge 2 ] && [ $((entry_count % 4)) = 0 ] ||
    { objection "the entries of the GPT of $disk are not in front of the root" "$repair"; return; }
  known=
  sectors "$disk" "$entries_at" "$entry_sectors" >"$stage/entries"
  while read -r entry_type && read -r _ && read -r place && read -r _ && read -r _ && read -r _ && read -r _ && read -r _; do
    set -- $place
    number_of "$1" "$2" "$3" "$4" "$5" "$6" "$7" "$8"
    case $entry_type in
      *[1-9]*)
        [ "$number" != "$start" ] || known=yes
        [ "$number" -le "$start" ] || check_behind $entry_type
        ;;
    esac
  done <"$stage/entries"
  [ -n "$known" ] || objection "the GPT of $disk has no partition at sector $start, where the root is" "$repair"
}
repair="repair it (sgdisk --verify says more) in the source AMI, or set bundle.partition: none"

check_mbr() {
  known=
  for index in 0 1 2 3; do
    set -- $(mbr_entry "$disk" "$index")
    number_of "$9" "${10}" "${11}" "${12}"
    [ "$5" = 0 ] || [ "$number" != "$start" ] || known=yes
    # An EFI system partition.
    [ "$5" != 239 ] || [ "$number" -le "$start" ] || ! boots_by_uefi || object_to_behind "EFI system partition"
  done
  [ -n "$known" ] || objection "the root is a logical partition of $disk" \
    "take a source AMI whose root is a primary partition, or set bundle.partition: none"
}

# The 16 bytes of an entry: FILE INDEX.
mbr_entry() { dd if="$1" bs=1 skip=$((446 + 16 * $2)) count=16 2>/dev/null | od -An -v -tu1; }
