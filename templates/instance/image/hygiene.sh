# What does not belong into an image that others start: by class, and for each class scrub, refuse or keep.

# scrub: what makes itself anew. refuse: what somebody put there and has to decide about. keep: told, and no more.
do_authorizedKeys=keep do_sshHostKeys=scrub do_machineId=scrub do_shellHistories=scrub do_cloudInit=scrub
do_cloudCredentials=refuse do_privateKeys=refuse do_logs=keep

set_hygiene() {
  case ${1%%=*} in
    authorizedKeys | sshHostKeys | machineId | shellHistories | cloudInit | cloudCredentials | privateKeys | logs) ;;
    *) problem "unknown class of hygiene: $1" ;;
  esac
  case ${1#*=} in
    scrub | refuse | keep) eval "do_${1%%=*}=${1#*=}" ;;
    *) problem "neither scrub, refuse nor keep: $1" ;;
  esac
}

# CLASS PATH [HOW]: does with a finding what is to be done with its class. HOW hides it, drop_file if nothing is said.
# A file may be found for more than one class, and each of them is asked.
found() {
  path=${2#"$tree"}
  ! grep -qxF -e "$1 $path" "$stage/found" || return 0
  echo "$1 $path" >>"$stage/found"
  eval "action=\$do_$1"
  is_allowed= && each_of match_allowed "$allow"
  [ -z "$is_allowed" ] || action=keep
  case $action in
    scrub) "${3:-drop_file}" "$2" ;;
    refuse)
      grep -qxF -e "refused $path" "$stage/found" || refused=$((refused + 1))
      echo "refused $path" >>"$stage/found"
      ;;
  esac
  tell "hygiene: $action $1 $path"
}

# A pattern's * stands for slashes too here.
match_allowed() {
  case $path in $1) is_allowed=yes ;; esac
}

# For each path that is a file with something in it, or a link: CLASS HOW PATH...
each_file() {
  class=$1 how=$2
  shift 2
  for file; do
    in_image "$file" || continue
    file=$real
    if [ -L "$file" ]; then [ "$how" = empty_file ] || found "$class" "$file" "$how"
    elif [ -f "$file" ] && [ -s "$file" ]; then found "$class" "$file" "$how"; fi
  done
}

check_hygiene() {
  tell "phase: looking for keys, credentials and traces"
  refused=0
  : >"$stage/found"
  list_homes
  [ -z "$key" ] || each_of forget_key "$stage_keys"
  each_of authorized_keys "$stage_keys"
  host_keys
  each_file machineId empty_file "$tree/etc/machine-id"
  [ -L "$tree/var/lib/dbus/machine-id" ] || each_file machineId drop_file "$tree/var/lib/dbus/machine-id"
  each_file machineId drop_file "$tree/var/lib/systemd/random-seed" "$tree/var/lib/urandom/random-seed" \
    "$tree/var/lib/systemd/credential.secret" "$tree/etc/udev/rules.d/70-persistent-net.rules"
  cloud_init
  each_of in_home "$homes"
  each_file cloudCredentials drop_file "$tree/etc/boto.cfg"
  [ "$do_logs" = keep ] || ! in_image "$tree/var/log/." || [ ! -d "$real" ] || found logs "$real" hollow_directory
  search_contents
  [ "$refused" = 0 ] || {
    tell "hint: remove it in a provision step, leave it out with bundle.exclude, name it in bundle.hygiene.allow, or set its class to scrub or keep"
    problem "the image would hold $refused file(s) that bundle.hygiene refuses"
  }
}

# Sets homes and stage_keys (files that let people in): lists.
list_homes() {
  homes= stage_keys=
  add_home "$tree/root"
  if in_image "$tree/home/."; then for home in "$real"/*; do add_home "$home"; done; fi
  if [ -f "$tree/etc/passwd" ]; then
    while IFS=: read -r _ _ _ _ _ home _; do
      case ${home%/} in '' | /bin | /sbin | /usr/* | /dev | /proc | /nonexistent | /run/* | /var/run/*) ;; *) add_home "$tree${home%/}" ;; esac
    done <"$tree/etc/passwd"
  fi
  if in_image "$tree/etc/ssh/authorized_keys/."; then for file in "$real"/*; do add_keys "$file"; done; fi
  add_keys "$tree/etc/dropbear/authorized_keys"
}

add_home() {
  in_image "$1/." && [ -d "$real" ] || return 0
  set -- "$real"
  case $newline$homes in *"$newline$1$newline"*) return 0 ;; esac
  homes=$homes$1$newline
  in_image "$1/.ssh/." || return 0
  for file in "$real"/authorized_keys*; do add_keys "$file"; done
}

add_keys() {
  in_image "$1/." && [ -f "$real" ] || return 0
  case $newline$stage_keys in *"$newline$real$newline"*) ;; *) stage_keys=$stage_keys$real$newline ;; esac
}

# The key that let the builder in is of no use later, and must not open the machines that are started from the image.
forget_key() {
  blob=${key#* } blob=${blob%% *}
  grep -qF -e "$blob" "$1" || return 0
  cp -p "$1" "$stage/keys"
  replace_file "$1" || return 0
  grep -vF -e "$blob" "$stage/keys" >"$copy"
  touch -r "$stage/keys" "$copy"
  rm "$stage/keys"
  tell "note: the build's key is left out of ${1#"$tree"}"
}

authorized_keys() { ! grep -q '^[^#]*[^#[:space:]]' "$1" || found authorizedKeys "$1"; }

host_keys() {
  private=
  for file in "$tree"/etc/ssh/ssh_host_*_key "$tree"/etc/dropbear/dropbear_*_host_key; do [ ! -s "$file" ] || private=yes; done
  each_file sshHostKeys drop_file "$tree"/etc/ssh/ssh_host_*_key "$tree"/etc/ssh/ssh_host_*_key.pub \
    "$tree"/etc/ssh/ssh_host_*-cert.pub "$tree"/etc/dropbear/dropbear_*_host_key
  [ "$do_sshHostKeys" = scrub ] && [ -n "$private" ] && ! makes_host_keys || return 0
  tell "note: warning: nothing here makes SSH host keys at boot (no cloud-init, no unit with ssh-keygen): sshd may not start in the image (bundle.hygiene.sshHostKeys: keep)"
}

makes_host_keys() {
  [ ! -e "$tree/etc/cloud/cloud.cfg" ] || return 0
  for place in etc/systemd/system usr/lib/systemd/system lib/systemd/system etc/init.d etc/rc.d etc/rc.local; do
    [ ! -e "$tree/$place" ] || ! grep -rqs -e ssh-keygen -e sshd-keygen -e dropbearkey "$tree/$place" || return 0
  done
  return 1
}

# What cloud-init knows of this instance. Its seed and the scripts that somebody put there stay.
cloud_init() {
  for file in "$tree"/var/lib/cloud/instances "$tree"/var/lib/cloud/instance "$tree"/var/lib/cloud/data "$tree"/var/lib/cloud/sem; do
    in_image "$file" || continue
    file=$real
    if [ -L "$file" ]; then found cloudInit "$file"
    elif [ -d "$file" ] && [ -n "$(find "$file" -mindepth 1 2>/dev/null | while read -r _; do echo some; break; done)" ]; then
      found cloudInit "$file" empty_directory
    fi
  done
  each_file cloudInit drop_file "$tree"/var/log/cloud-init.log* "$tree"/var/log/cloud-init-output.log*
}
