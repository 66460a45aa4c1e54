#!/bin/sh
# What the three images have in common, told apart only by their environment.
set -eu

mkdir -p /etc/web-base
printf 'release=%s\nregion=%s\nmirror=%s\n' "$RELEASE" "$REGION" "$MIRROR" > /etc/web-base/release
cat /etc/web-base/release
