# Whether the image boots as the machine did. The boot loader is the machine's own, and comes along only where it lies in
# front of the root: the first sector of a file system is made anew, and files lie elsewhere in it than extlinux and GRUB
# have noted.

check_boot_loader() {
  [ -z "$free" ] || return 0
  check_kernels
  ! boots_by_uefi || return 0
  if [ "$table" != none ]; then
    set -- $(sectors "$disk" 0 1)
    # "GRUB", which leaves the first sectors of partitions alone.
    case $* in *"71 82 85 66"*) check_grub "$@"; return ;; esac
  fi
  # What a BIOS, or another loader, goes on with; mkfs leaves it empty.
  set -- $(sectors "${node:-}" 0 1)
  [ "${511:-} ${512:-}" != "85 170" ] || [ "$1" = 0 ] || objection \
    "the first sector of the root file system holds a boot loader, which an image does not keep" "$loader_way_out"
}

# What is mounted there is not in the image, unless it is copied with what lies in front of the root.
check_kernels() {
  while read -r _ _ _ _ each_point rest; do
    case $each_point:$rest in "${root%/}/boot:"*" - autofs "*) continue ;; "${root%/}/boot:"*) ;; *) continue ;; esac
    in_boot_area "${root%/}/boot" || objection "/boot, with the kernels, is a file system of its own, which does not lie in front of the root" \
      "take a source AMI with /boot in the root, or in front of it on the same disk; or $bare_way_out"
    return
  done </proc/self/mountinfo
}

boots_by_uefi() { [ -d /sys/firmware/efi ]; }

# GRUB's first sector names the one where it goes on: in 8 bytes, GRUB Legacy (its stage1 is of version 3.2) in 4.
check_grub() {
  if [ "${63} ${64}" = "3 2" ]; then number_of "${69}" "${70}" "${71}" "${72}"
  else number_of "${93}" "${94}" "${95}" "${96}" "${97}" "${98}" "${99}" "${100}"; fi
  read -r root_sectors 2>/dev/null <"/sys/dev/block/$numbers/size" || return 0
  [ "$number" -lt "$start" ] || [ "$number" -ge $((start + root_sectors)) ] || objection \
    "GRUB goes on at sector $number of $disk, in a file of the root, which lies elsewhere in an image" "$loader_way_out"
}

# The type of a GPT partition that lies behind the root: its 16 bytes.
check_behind() {
  case $* in
    "40 115 42 193 31 248 210 17 186 75 0 160 201 62 201 59") ! boots_by_uefi || object_to_behind "EFI system partition" ;;
    "72 97 104 33 73 100 111 110 116 78 101 101 100 69 70 73") boots_by_uefi || object_to_behind "BIOS boot partition" ;;
  esac
}

object_to_behind() {
  [ -n "$free" ] || objection "the $1 of $disk lies behind the root, and only what lies in front of it is copied" \
    "take a source AMI whose root is the last partition of its disk; or $bare_way_out"
}

bare_way_out="set bundle.partition: none, for a bare file system whose boot you see to yourself"
loader_way_out="take a source AMI with its boot loader in front of the root, or install one there (grub-install DISK) in a provision step and set bundle.needs: warn; or $bare_way_out"
