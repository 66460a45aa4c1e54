# Runs outside of the new root, $1, before the kernel comes into it: its first initial RAM disk is to be the last.
set -eu
mkdir -p "$1/etc/initramfs-tools/conf.d" "$1/etc/initramfs-tools/hooks"
# Only what a QEMU machine needs, and nothing that is slow to unpack.
printf 'MODULES=list\nCOMPRESS=gzip\n' > "$1/etc/initramfs-tools/conf.d/imgspec"
cat > "$1/etc/initramfs-tools/hooks/imgspec" <<'HOOK'
#!/bin/sh
[ "$1" != prereqs ] || exit 0
. /usr/share/initramfs-tools/hook-functions
manual_add_modules virtio_pci virtio_blk ext4
HOOK
chmod 0755 "$1/etc/initramfs-tools/hooks/imgspec"
