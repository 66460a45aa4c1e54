#!/bin/sh
# list-tree.sh ROOT: everything that a file system tree is, in fields that end with NUL; needs find, md5sum, stat, getfattr.
# What is mounted in the tree is left out, what lies below the mounts is not.
set -eu
cd "$1"
printf '@files\0'
find . -xdev -printf '%p\0%y %m %U:%G %s %T@ %i %k %l\0'
printf '@sums\0'
find . -xdev -type f -print0 | xargs -0 md5sum -z
printf '@devices\0'
find . -xdev \( -type b -o -type c \) -exec stat --printf '%n\0%t:%T\0' {} +
printf '@attributes\0'
find . -xdev -print0 | xargs -0 getfattr -h -d -m - -e hex
