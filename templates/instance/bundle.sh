# Bundles the image that a command writes to stdout and puts the parts into S3, all on this machine.
#
#   sh bundle.sh DIRECTORY LEVEL COMMAND...
#
# stdin: a line with the passphrase of which the AES key and IV are the SHA-256; then what becomes the command's stdin.
# DIRECTORY: on a memory file system, mode 0700. What else the builder has to give comes there as files, whole from
# the first moment: `head` and `tail` of the tar stream once "imgspec-image: size=BYTES" was told, and for each
# "imgspec-want: INDEX SHA1 SIZE TRY" a curl configuration `put.INDEX.TRY` with URL and headers.
# At most three parts are in the directory at any time, one being filled and two being put; nothing of the bundle is anywhere else.
#
# Told on stderr, besides what the command tells: "imgspec-clock: SECONDS", "imgspec-refused: INDEX TRY STATUS WHY",
# "imgspec-put: INDEX SHA1 SIZE", and at the end
# "imgspec-bundled: TAR-SHA1 IMAGE-SHA256 TAR-SIZE PARTS".
# Exit codes: the command's own, or 71 "imgspec-failure: ...".

export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin:/usr/bin:/bin"
umask 077

part_bytes=10485760
# Of each part; between two tries lies a longer pause every time.
most_tries=6
# So long a builder may take to come back.
patience_seconds=900

# One write for each line: parts are put side by side.
tell() { printf 'imgspec-%s\n' "$*" >&2; }
fail() { tell "failure: $*"; exit 71; }
clock() { tell "clock: $(date +%s)"; }

# Waits for a file of the builder, unless the image fails meanwhile, or all of it is over.
await() {
  waited=0
  until [ -s "$1" ]; do
    [ -e running ] || exit 71
    case $1 in head) [ ! -s image.code ] || [ "$(cat image.code)" = 0 ] || exit 71 ;; esac
    [ "$waited" -lt $((patience_seconds * beats)) ] || fail "the builder gave no $1 in $patience_seconds s"
    sleep "$beat"
    waited=$((waited + 1))
  done
}

# The end of the chain knows whether the beginning failed only by these notes.
step() {
  name=$1
  shift
  "$@" || { code=$? && echo "$name: exit $code" >>failed && return "$code"; }
}

make_image() {
  step image "$@" <image-program
  echo $? >image.code
}

make_tar() {
  await head
  cat head && tee image-copy && cat tail
}

digest() { openssl dgst "-$1" | { read -r line && echo "${line##* }"; }; }

compress() {
  if command -v pigz >/dev/null 2>&1; then pigz "-$level"; else gzip "-$level"; fi
}

# -nosalt -md sha256: key and IV are the SHA-256 of the passphrase, and nothing of it is an argument. OpenSSL warns of it.
encrypt() { openssl enc -aes-128-cbc -nosalt -md sha256 -pass fd:5 2>encrypt.said || { cat encrypt.said >&2; return 1; }; }

size_of() { size=$(wc -c <"$1") && echo $((size)); }

# Fills a file with the next part. Exit code 1: there was nothing left. A pipe gives what it has, so that dd may stop
# short of what it was asked for, but never goes beyond it.
fill() {
  : >"$1" || return 2
  have=0
  while [ "$have" -lt "$part_bytes" ]; do
    odd=$((have % 4096))
    if [ "$odd" = 0 ]; then dd bs=4096 count=$(((part_bytes - have) / 4096)) >>"$1" 2>dd.said
    else dd bs=$((4096 - odd)) count=1 >>"$1" 2>dd.said; fi || { cat dd.said >&2; return 2; }
    now=$(size_of "$1")
    [ "$now" -gt "$have" ] || break
    have=$now
  done
  [ "$have" -gt 0 ]
}

put_parts() {
  index=0 before= last=
  while :; do
    [ -e running ] || exit 71
    fill "part.$index"
    case $? in
      0) ;;
      1) break ;;
      *) fail "part $index could not be held in $directory" ;;
    esac
    [ -z "$before" ] || wait "$before" || exit 71
    before=$last
    put_part "$index" "$have" </dev/null &
    last=$!
    index=$((index + 1))
  done
  rm -f "part.$index"
  for put in $before $last; do wait "$put" || exit 71; done
  echo "$index" >count
}

put_part() {
  sha1=$(digest sha1 <"part.$1")
  try=1 pause=1
  while :; do
    tell "want: $1 $sha1 $2 $try"
    await "put.$1.$try"
    try_put "$1" "$try" && break
    tell "refused: $1 $try $status $why"
    clock
    rm -f "put.$1.$try"
    [ "$try" -lt "$most_tries" ] || fail "part $1 was not taken in $try tries: $status $why"
    sleep "$pause"
    try=$((try + 1)) pause=$((pause * 2))
  done
  rm -f "part.$1" "put.$1.$try" "answer.$1" "said.$1"
  tell "put: $1 $sha1 $2"
}

# Sets status and why. The URL stands in the configuration alone; -q keeps those of this machine out.
try_put() {
  rm -f "answer.$1"
  status=$(curl -q -sS --connect-timeout 20 --speed-limit 1 --speed-time 60 \
    -T "part.$1" -o "answer.$1" -w '%{http_code}' -K "put.$1.$2" 2>"said.$1")
  code=$?
  [ "$code" != 0 ] || [ "$status" != 200 ] || return 0
  # No more of the answer than these: it may repeat what was signed.
  why="$(answered "$1" Code) $(answered "$1" Message)"
  [ "$why" != " " ] || read -r why <"said.$1"
  return 1
}

answered() {
  [ ! -f "answer.$1" ] || sed -n "s/.*<$2>\([^<]*\)<.*/\1/p" "answer.$1" | { read -r text; echo "$text"; }
}

# Whatever is still at work sees that it is over, or loses the pipe that it writes to.
finish() {
  trap - EXIT HUP INT TERM
  rm -f running passphrase
  [ "$1" = 0 ] || kill "$image_digest" "$tar_digest" "$tar_size" 2>/dev/null
  rm -f part.* put.* answer.* said.*
  exit "$1"
}

main() {
  directory=$1 level=$2
  shift 2
  cd "$directory" || fail "there is no $directory"
  if sleep 0.1 2>/dev/null; then beat=0.2 beats=5; else beat=1 beats=1; fi
  read -r passphrase && cat >image-program && echo "$passphrase" >passphrase && exec 5<passphrase ||
    fail "the passphrase could not be kept in $directory"
  unset passphrase
  rm -f passphrase
  exec </dev/null
  true >running
  mkfifo image-copy tar-copy size-copy || fail "no named pipe could be made in $directory"
  trap 'finish 71' EXIT
  trap 'exit 71' HUP INT TERM
  clock
  digest sha256 <image-copy >image.sha256 5<&- &
  image_digest=$!
  digest sha1 <tar-copy >tar.sha1 5<&- &
  tar_digest=$!
  wc -c <size-copy >tar.size 5<&- &
  tar_size=$!
  {
    make_image "$@" 5<&- | step tar make_tar 5<&- | step copy tee tar-copy size-copy 5<&- |
      step compressor compress 5<&- | step openssl encrypt |
      # Writes of one page are not torn in a pipe, so the parts are cut from whole ones.
      step dd dd ibs=65536 obs=4096 2>cut.said 5<&- | step upload put_parts 5<&-
  } &
  # In the background, or a signal would wait until all is done.
  wait $!
  [ ! -s image.code ] || [ "$(cat image.code)" = 0 ] || finish "$(cat image.code)"
  [ ! -s failed ] || {
    told=$(tr '\n' ';' <failed)
    fail "the bundle could not be made: ${told%;}"
  }
  wait "$image_digest" && wait "$tar_digest" && wait "$tar_size" || fail "the digests could not be made"
  tell "bundled: $(cat tar.sha1) $(cat image.sha256) $(($(cat tar.size))) $(cat count)"
  finish 0
}

main "$@"
