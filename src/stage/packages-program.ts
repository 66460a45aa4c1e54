/** Starts a line of the program that is for us, and not something that a package manager says. */
export const packagesMark = "imgspec-packages";

/** Exit code when the instance has no package manager. */
export const noManager = 90;

/** Exit code when a package manager was content, and what was asked for is not so. */
export const notAsAsked = 91;

/**
 * Finds names in these variables, one word each: install, apt, dnf, yum, zypper, apk, update, remove; and `refresh` and
 * `recommends`, empty for no. It waits for whoever holds a lock: dnf, yum and zypper do so by themselves, apk for as
 * long as it is told, and apt-get is asked again. Marked lines tell which manager it is, and what is not so in the end.
 */
export const packagesProgram: string = `set -f
export LC_ALL=C DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=a ZYPP_LOCK_TIMEOUT=-1
manager=
for word in dnf yum apt-get zypper apk; do
  if command -v "$word" >/dev/null 2>&1; then manager=$word; break; fi
done
[ -n "$manager" ] || exit ${noManager}
echo "${packagesMark} manager $manager"
case $manager in
dnf) install="$install \${dnf:-$yum}" ;;
yum) install="$install $yum" ;;
apt-get) install="$install $apt" ;;
zypper) install="$install $zypper" ;;
apk) install="$install $apk" ;;
esac
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
trap 'exit 143' HUP INT TERM

# apt-get ends at once while cloud-init, or a timer of its own, holds one of its locks.
locked='Could not get lock|Unable to acquire the dpkg frontend lock|Unable to lock|lock was locked by another'
apt() {
  while :; do
    {
      apt-get -y -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@" 2>&1
      echo "$?" >"$dir/code"
    } | tee "$dir/said"
    read -r code <"$dir/code"
    [ "$code" != 0 ] || return 0
    grep -qE "$locked" "$dir/said" || return "$code"
    echo "somebody else holds the lock of apt; trying again in 3 s"
    sleep 3
  done
}

# name=version, as this manager wants it.
pinned() {
  for word; do
    case $manager:$word in
    dnf:*=* | yum:*=*) printf ' %s-%s' "\${word%%=*}" "\${word#*=}" ;;
    *) printf ' %s' "$word" ;;
    esac
  done
}

do_refresh() {
  case $manager in
  dnf | yum) "$manager" -q clean expire-cache ;;
  apt-get) apt -q update ;;
  zypper) zypper --non-interactive refresh ;;
  apk) apk --wait 3600 update ;;
  esac
}

do_remove() {
  case $manager in
  dnf | yum) "$manager" -y remove "$@" ;;
  apt-get) apt -q remove "$@" ;;
  zypper) zypper --non-interactive remove "$@" ;;
  apk) apk --wait 3600 del "$@" ;;
  esac
}

do_update() {
  [ "$*" != '*' ] || set --
  case $manager in
  dnf | yum) "$manager" -y update "$@" ;;
  apt-get) if [ $# = 0 ]; then apt -q --with-new-pkgs upgrade; else apt -q --only-upgrade install "$@"; fi ;;
  zypper) zypper --non-interactive update "$@" ;;
  apk) apk --wait 3600 upgrade "$@" ;;
  esac
}

do_install() {
  older=
  case " $*" in *=*) older=1 ;; esac
  set -- $(pinned "$@")
  case $manager in
  dnf) dnf -y \${few:+--setopt=install_weak_deps=False} install "$@" ;;
  yum) yum -y install "$@" ;;
  apt-get) apt -q \${few:+--no-install-recommends} \${older:+--allow-downgrades} install "$@" ;;
  zypper) zypper --non-interactive install \${few:+--no-recommends} \${older:+--oldpackage} "$@" ;;
  apk) apk --wait 3600 add "$@" ;;
  esac
}

# The versions of a package that is installed, a line each.
versions() {
  case $manager in
  apt-get) dpkg-query -W -f '\${db:Status-Status} \${Version}\\n' "$1" 2>/dev/null | sed -n 's/^installed //p' ;;
  apk) apk info -e -v "$1" 2>/dev/null | sed 's/^.*-\\([^-]*-r[0-9]*\\)$/\\1/' ;;
  *) rpm -q --qf '%{VERSION}-%{RELEASE}\\n%{VERSION}\\n%{EPOCH}:%{VERSION}-%{RELEASE}\\n' "$1" 2>/dev/null ;;
  esac
}

# Whether something that is installed goes by this name, too.
provided() {
  case $manager in
  apt-get) dpkg-query -W -f '\${db:Status-Status} \${Provides},\\n' 2>/dev/null | grep '^installed' | grep -qE "[ ,]$(printf %s "$1" | sed 's/[.+]/\\\\&/g')[ ,(]" ;;
  apk) apk info -e "$1" >/dev/null 2>&1 ;;
  *) rpm -q --whatprovides "$1" >/dev/null 2>&1 ;;
  esac
}

is_installed() {
  name=\${1%%=*} wanted=
  # name/release names where apt-get takes it from.
  [ "$manager" != apt-get ] || name=\${name%%/*}
  case $1 in *=*) wanted=\${1#*=} ;; esac
  found=$(versions "$name") || found=
  if [ -z "$found" ]; then
    [ -z "$wanted" ] && provided "$name"
    return
  fi
  [ -n "$wanted" ] || return 0
  for version in $found; do
    case $version in $wanted) return 0 ;; esac
  done
  return 1
}

few=1
[ -z "$recommends" ] || few=
# A list that one of several repositories does not give may be of no need: the packages that are missing tell.
[ -z "$refresh" ] || do_refresh || echo "the lists of packages could not all be read"
gone=
for name in $remove; do
  [ -z "$(versions "$name")" ] || gone="$gone $name"
done
[ -z "$gone" ] || do_remove $gone || exit
[ -z "$update" ] || do_update $update || exit
[ -z "$(echo $install)" ] || do_install $install || exit

wrong=
for wish in $install; do
  # A group of packages has a name of its own.
  case $wish in @*) continue ;; esac
  is_installed "$wish" || { echo "${packagesMark} missing $wish"; wrong=1; }
done
for wish in $remove; do
  [ -z "$(versions "$wish")" ] || { echo "${packagesMark} left $wish"; wrong=1; }
done
[ -z "$wrong" ] || exit ${notAsAsked}
`;
