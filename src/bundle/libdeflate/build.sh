#!/bin/sh
# Builds deflate.wasm from the source of libdeflate 1.26 and holds it against the committed one: sh build.sh SOURCE_DIRECTORY
# Needs clang and lld, no C library. The committed bytes are made by clang 14.0.6 (README.md).
set -eu
source=${1:?usage: build.sh SOURCE_DIRECTORY}
here=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d)

(cd "$source" && sha256sum --quiet -c "$here/upstream.sha256")
(cd "$source" && cp -r common_defs.h libdeflate.h lib "$scratch")
cd "$scratch"
patch -s -p1 < "$here/wasm.patch"
cp "$here/glue.c" .
# Paths are relative and the output is stripped, so that it does not depend on where it is built.
clang --target=wasm32 -O3 -msimd128 -mbulk-memory -ffreestanding -DFREESTANDING -DNDEBUG -fvisibility=hidden -nostdlib \
  -Wl,--no-entry -Wl,-z,stack-size=65536 -Wl,--strip-all -I. \
  lib/deflate_compress.c lib/utils.c glue.c -o deflate.wasm
if cmp deflate.wasm "$here/deflate.wasm"; then
  echo "the committed deflate.wasm is what this source gives"
  rm -r "$scratch"
else
  echo "the new one is $scratch/deflate.wasm; the digests in README.md go with it" >&2
  exit 1
fi
