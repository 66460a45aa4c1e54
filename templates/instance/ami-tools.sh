# Drives Amazon's AMI tools on the instance. `sh -s` reads it as root from its standard input; after it come values
# and functions of this build and, last, the name of what to do. Nothing of it is ever in a file or an argument list.
# Lines on stderr that begin with "imgspec-" are for imgspec.

tell() { echo "imgspec-$1: $2" >&2; }

give_up() {
  tell "$1" "$2"
  exit 69
}

# Where packages and the user guide put the tools; a shell that is not a login shell knows none of it.
find_tools() {
  for profile in /etc/profile.d/aws*.sh; do
    if [ -r "$profile" ]; then . "$profile"; fi
  done
  if [ -z "${EC2_AMITOOL_HOME:-}" ]; then
    for home in /opt/aws/amitools/ec2 "$tools_home"/ec2-ami-tools-*; do
      if [ -x "$home/bin/ec2-bundle-vol" ]; then EC2_AMITOOL_HOME=$home; fi
    done
  fi
  if [ -n "${EC2_AMITOOL_HOME:-}" ]; then
    export EC2_AMITOOL_HOME
    PATH=$EC2_AMITOOL_HOME/bin:$PATH
  fi
  PATH=$PATH:/opt/aws/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/sbin:/usr/bin:/bin
  export PATH
}

missing() {
  for program in "$@"; do
    command -v "$program" >/dev/null || printf ' %s' "$program"
  done
}

# The package of the distribution, else the archive of the user guide: one version, and known by its SHA-256.
install_tools() {
  if [ -n "$(missing dnf)" ]; then manager=yum; else manager=dnf; fi
  if [ -z "$(missing "$manager")" ]; then
    "$manager" -y install aws-amitools-ec2 </dev/null >&2
    find_tools
    if [ -n "$(missing $tools)" ]; then "$manager" -y install ruby unzip rsync </dev/null >&2; fi
  elif [ -z "$(missing apt-get)" ]; then
    export DEBIAN_FRONTEND=noninteractive
    apt-get -y update </dev/null >&2
    apt-get -y install ec2-ami-tools </dev/null >&2
    find_tools
    if [ -n "$(missing $tools)" ]; then apt-get -y install ruby unzip rsync </dev/null >&2; fi
  fi
  find_tools
  if [ -n "$(missing $tools)" ]; then install_archive; fi
}

install_archive() {
  lacking=$(missing ruby unzip sha256sum)
  if [ -n "$lacking" ]; then give_up missing "the AMI tools, and to install them:$lacking"; fi
  folder=$(mktemp -d) || exit 1
  trap 'rm -rf "$folder"' EXIT
  if [ -z "$(missing curl)" ]; then
    curl -fsSL --retry 3 -o "$folder/tools.zip" "$archive_url" </dev/null >&2
  else
    wget -q -O "$folder/tools.zip" "$archive_url" </dev/null >&2
  fi || give_up problem "the AMI tools could not be fetched from $archive_url"
  sum=$(sha256sum "$folder/tools.zip")
  if [ "${sum%% *}" != "$archive_sha256" ]; then
    give_up problem "$archive_url has the SHA-256 ${sum%% *} instead of $archive_sha256"
  fi
  mkdir -p "$tools_home" && unzip -q -o -d "$tools_home" "$folder/tools.zip" </dev/null >&2
  find_tools
}

prepare() {
  find_tools
  if [ -n "$(missing $tools)" ]; then
    case $install in
      auto) install_tools ;;
      commands) sh -euc "$install_commands" </dev/null >&2 || give_up problem "bundle.amiTools.installCommands failed" ;;
    esac
    find_tools
  fi
  lacking=$(missing $tools $helpers)
  if [ -n "$lacking" ]; then give_up missing "${lacking# }"; fi
  for tool in $tools; do
    "$tool" --version </dev/null >&2 || give_up problem "$tool does not start"
  done
  key_home >/dev/null
}

# A file on tmpfs is never on the disk that becomes the image.
key_home() {
  for place in /dev/shm /run; do
    if grep -q " $place tmpfs " /proc/mounts; then
      echo "$place"
      return
    fi
  done
  give_up problem "there is no tmpfs at /dev/shm or /run for the key files"
}

forget_keys() { rm -rf "/dev/shm/$name" "/run/$name"; }

bundle() {
  find_tools
  home=$(key_home) || exit
  keys=$home/$name
  # Only the shell's exit takes the keys along; it comes after the program, which hears of the signal too.
  trap forget_keys EXIT
  trap 'exit 143' HUP INT TERM
  (
    umask 077
    mkdir "$keys" && write_keys
  ) || give_up problem "the key files cannot be written to $keys"
  if [ -z "$destination" ]; then
    destination=/tmp
    if grep -q ' /mnt [^ ]* rw[, ]' /proc/mounts; then destination=/mnt; fi
  fi
  work=${destination%/}/$name
  tell work "$work"
  mkdir -p "$destination" && mkdir -m 700 "$work" || give_up problem "cannot make the directory $work"
  bundle_command </dev/null
}

upload() {
  find_tools
  upload_command </dev/null
}

clean() {
  forget_keys
  if [ -n "$work" ]; then rm -rf "$work"; fi
}
