#!/bin/sh
# The last step: what the root file system holds, as the bundle should have it.
set -eu
mkdir -p /run/below
mount --bind / /run/below
sh /run/list-tree.sh /run/below > /mnt/tree
umount /run/below
chmod 0644 /mnt/tree
