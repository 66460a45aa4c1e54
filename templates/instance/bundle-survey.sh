# Finds out whether this machine can bundle itself, and makes the directory for it.
#
#   sh bundle-survey.sh NAME LEVEL URL
#
# Tells on stdout: "directory=PATH", a new one of this name on a memory file system, which belongs to the user that
# logged in; "clock=SECONDS"; for each
# thing that is not as it must be "lacks=WHAT"; and what of the URL came back, "status=CODE" of HTTP or "unreachable=WHY".

export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin:/usr/bin:/bin"
umask 077

# Three parts of 10 MiB, and room to move.
least_kib=34816

lacks() { echo "lacks=$*"; }
has() { command -v "$1" >/dev/null 2>&1; }

is_memory() {
  while read -r _ _ _ _ point rest; do
    rest=${rest#*- }
    [ "$point" = "$1" ] && case ${rest%% *} in tmpfs | ramfs) return 0 ;; esac
  done </proc/self/mountinfo
  return 1
}

free_kib() { df -kP "$1" 2>/dev/null | while read -r _ _ _ free _; do echo "$free"; done; }

make_directory() {
  for place in /dev/shm /run/shm /run; do
    is_memory "$place" && [ -w "$place" ] || continue
    free=$(free_kib "$place")
    free=${free##*[!0-9]}
    [ "${free:-0}" -ge "$least_kib" ] || continue
    mkdir "$place/$1" 2>/dev/null && chown "${SUDO_UID:-$(id -u)}" "$place/$1" || continue
    echo "directory=$place/$1"
    return 0
  done
  lacks "a memory file system with $((least_kib / 1024)) MiB free (tried /dev/shm and /run)"
}

# What bundle.sh relies on, with an answer that is known.
try_openssl() {
  has openssl || { lacks openssl; return; }
  sum=$(echo text | openssl enc -aes-128-cbc -nosalt -md sha256 -pass fd:5 2>/dev/null 5<<END | openssl dgst -sha1
passphrase
END
  )
  [ "${sum##* }" = ebf741791440511d40b52f01468d586fc82a85d8 ] || lacks "an openssl that derives keys with SHA-256"
}

try_compressor() {
  if has pigz; then compressor=pigz; else compressor=gzip; fi
  has "$compressor" || { lacks "pigz or gzip"; return; }
  echo text | "$compressor" "-$1" >/dev/null 2>&1 || lacks "a $compressor that takes -$1"
}

try_url() {
  has curl || { lacks curl; return; }
  said=$(curl -q -sS --connect-timeout 10 --max-time 20 -o /dev/null -w 'status=%{http_code}' "$1" 2>&1)
  if [ $? = 0 ]; then echo "$said"
  else
    said=${said%status=*}
    echo "unreachable=$(echo "$said" | { read -r line; echo "$line"; })"
  fi
}

for tool in mkfifo tee dd wc date sed tr df unshare; do has "$tool" || lacks "$tool"; done
try_openssl
try_compressor "$2"
try_url "$3"
make_directory "$1"
echo "clock=$(date +%s)"
