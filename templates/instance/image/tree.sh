# The tree that goes into the image: the root once more, with what is to be left out hidden by mounts, so that its contents
# never get into the image, not even into free blocks. Directories keep themselves.

# A place for mount points that are not on the root file system, or they would be in the image.
open_stage() {
  mount -n --make-rprivate / 2>/dev/null
  for stage in /srv /opt /home /media /mnt; do
    [ -d "$stage" ] && [ ! -L "$stage" ] && mount -n -t tmpfs -o mode=0700 imgspec "$stage" 2>/dev/null && break
    stage=
  done
  [ -n "$stage" ] || problem "no temporary file system could be mounted"
}

# Sets tree, source (the same without masks). With a hook, an overlay takes what it changes.
open_tree() {
  tree=$stage/root source=$stage/source masks=0
  mkdir "$tree" "$source"
  : >"$stage/drops"
  : >"$stage/emptied"
  # Not recursive: what is mounted below the root stays out, the directories it is mounted on stay in.
  mount -n --bind "$root" "$source" || problem "$root could not be mounted a second time"
  mount -n --make-private "$source"
  if [ -n "$given_hook" ]; then
    mkdir "$stage/upper" "$stage/work"
    chmod 755 "$stage/upper"
    layers=lowerdir=$source,upperdir=$stage/upper,workdir=$stage/work
    # The second for user namespaces, as the emulator's instances are.
    mount -n -t overlay -o "$layers" overlay "$tree" 2>/dev/null || mount -n -t overlay -o "userxattr,$layers" overlay "$tree" 2>/dev/null || {
      tell "hint: load it in a provision step (modprobe overlay), or do there what bundle.script does"
      problem "bundle.script needs overlayfs, which keeps what it changes out of the running system"
    }
    # The root directory is the upper one's own.
    same_directory "$source" "$stage/upper"
  else
    mount -n --bind "$source" "$tree" || problem "$root could not be mounted a third time"
  fi
  mount -n --make-private "$tree"
}

# Gives a directory the owner, mode, time, ACL and attributes of another.
same_directory() {
  facts=$(stat -c '%a %u:%g' "$1") || return 1
  chown "${facts#* }" "$2" && chmod "${facts%% *}" "$2" || return 1
  # Labels and ACLs: only some have them, and only GNU tar knows how to hand them on.
  tar=$(path_of tar) || tar=tar
  "$tar" -C "$1" --no-recursion --xattrs '--xattrs-include=*' --acls -cf - . 2>/dev/null |
    "$tar" -C "$2" --xattrs '--xattrs-include=*' --acls -xpf - 2>/dev/null
  touch -r "$1" "$2"
}

# PATH [BASE]: sets real to where a path leads in the image, whatever links are on the way; the last name is not followed,
# except with /. behind it. An absolute link means the image's root here, to the kernel it would mean the running system.
in_image() {
  real=${2:-$tree} way=${1#"$real"} hops=0
  while [ -n "$way" ]; do
    step=${way%%/*}
    case $way in */*) way=${way#*/} ;; *) way= ;; esac
    case $step in
      '' | .) ;;
      ..) [ "$real" = "${2:-$tree}" ] || real=${real%/*} ;;
      *)
        if [ -n "$way" ] && [ -L "$real/$step" ]; then
          hops=$((hops + 1))
          [ "$hops" -le 40 ] || return 1
          # A target may end with a line end, which a substitution would lose.
          target=$(readlink "$real/$step" && echo .) target=${target%"$newline".}
          case $target in /*) real=${2:-$tree} ;; esac
          way=$target/$way
        else
          real=$real/$step
        fi
        ;;
    esac
  done
  [ -e "$real" ] || [ -L "$real" ]
}

# Hides the contents of a directory. The empty one in its place is otherwise the same.
empty_directory() {
  in_image "$1" || return 0
  set -- "$real"
  masks=$((masks + 1))
  echo "${1#"$tree"}" >>"$stage/emptied"
  mkdir "$stage/$masks" && same_directory "$1" "$stage/$masks" && mount -n --bind "$stage/$masks" "$1" ||
    problem "${1#"$tree"} could not be left out"
}

# The same, but with the directories in it, empty too.
hollow_directory() {
  find "$1" -mindepth 1 -type d ! -path "*$newline*" >"$stage/directories"
  hollow=$1
  empty_directory "$1"
  while IFS= read -r directory; do
    case $directory in "$tree"/*) ;; *) continue ;; esac
    mkdir "$directory" 2>/dev/null && same_directory "$source${directory#"$tree"}" "$directory"
  done <"$stage/directories"
  touch -r "$source${hollow#"$tree"}" "$hollow"
}

# Hides the contents of a file, and notes its name to be taken out of the finished image.
drop_file() {
  in_image "$1" || return 0
  set -- "$real"
  case $1 in *'"'* | *"$newline"*) problem "a name with a quote or a line end cannot be left out: ${1#"$tree"}" ;; esac
  [ -e "$stage/nothing" ] || : >"$stage/nothing"
  [ -L "$1" ] || mount -n --bind "$stage/nothing" "$1" || problem "${1#"$tree"} could not be left out"
  echo "${1#"$tree"}" >>"$stage/drops"
}

# Puts a copy in the place of a file, to be changed under the name $copy: the mount hides the original, which stays.
# Fails when it is not in the image.
replace_file() {
  in_image "$1/." || return 1
  set -- "$real"
  masks=$((masks + 1)) copy=$stage/$masks
  cp=$(path_of cp) || cp=cp
  "$cp" -a "$1" "$copy" && mount -n --bind "$copy" "$1" || problem "${1#"$tree"} could not be replaced"
}

empty_file() { ! replace_file "$1" || { : >"$copy" && touch -r "$source${real#"$tree"}" "$copy"; }; }

# Calls a function for each path below BASE that the glob matches; ** stands for any directories between.
# Patterns are expanded unquoted and must not be split, hence the empty IFS.
each_match() {
  # What stands before the first wildcard is resolved here, or the shell would follow it into the running system.
  plain=${2%%[*?[]*} plain=${plain%/*}
  ! in_image "$1$plain/." "$1" || set -- "$real" "${2#"$plain"}" "$3"
  IFS=
  case $2 in
    *'/**/'*)
      after=${2#*/\*\*/}
      for top in $1${2%%/\*\*/*}; do
        [ -d "$top" ] && [ ! -L "$top" ] || continue
        find "$top" -type d ! -path "*$newline*" >"$stage/directories"
        while read -r directory; do
          for match in "$directory"/$after; do unset IFS; "$3" "$match"; IFS=; done
        done <"$stage/directories"
      done
      ;;
    *) for match in $1$2; do unset IFS; "$3" "$match"; IFS=; done ;;
  esac
  unset IFS
}

leave_out_one() {
  in_image "$1" || return 0
  set -- "$real"
  if [ -d "$1" ] && [ ! -L "$1" ]; then empty_directory "$1"
  elif [ -z "$contents_only" ] && { [ -e "$1" ] || [ -L "$1" ]; }; then drop_file "$1"; fi
}

leave_out() {
  contents_only=
  case $1 in
    / | '/**') problem "the root itself cannot be left out" ;;
    /*'/**') contents_only=yes && each_match "$tree" "${1%/\*\*}" leave_out_one ;;
    /*) each_match "$tree" "${1%/}" leave_out_one ;;
    *) problem "not an absolute path: $1" ;;
  esac
}

# Lets a path back in that was left out: itself, what is in it, and the directories that lead to it.
take_in() {
  case $1 in
    / | '/**') problem "the whole root cannot be taken in again" ;;
    /*) each_match "$source" "${1%/\*\*}" take_in_one ;;
    *) problem "not an absolute path: $1" ;;
  esac
}

take_in_one() {
  in_image "$1" "$source" || return 0
  set -- "$real"
  inner=${1#"$source"}
  was_dropped=$(grep -xF -e "$inner" "$stage/drops")
  [ -n "$was_dropped" ] || is_emptied "$inner" || return 0
  make_way "${inner%/*}"
  if [ -L "$1" ]; then [ -L "$tree$inner" ] || cp -a "$1" "$tree$inner"
  else
    if [ -d "$1" ]; then [ -d "$tree$inner" ] || mkdir "$tree$inner"; else [ -e "$tree$inner" ] || : >"$tree$inner"; fi
    # Read-only, since this is the running system itself, which a hook must not change.
    mount -n --bind "$1" "$tree$inner" && mount -n -o remount,bind,ro "$tree$inner"
  fi || problem "$inner could not be taken in again"
  if [ -n "$was_dropped" ]; then
    grep -vxF -e "$inner" "$stage/drops" >"$stage/kept"
    cat "$stage/kept" >"$stage/drops"
  fi
  [ -z "${inner%/*}" ] || touch -r "$source${inner%/*}" "$tree${inner%/*}" 2>/dev/null || :
}

is_emptied() {
  while IFS= read -r emptied; do
    case $1 in "$emptied" | "$emptied"/*) return 0 ;; esac
  done <"$stage/emptied"
  return 1
}

# Makes the directories of a path where a mask has taken them away. In a subshell, since it calls itself.
make_way() (
  [ -n "$1" ] && [ ! -d "$tree$1" ] || exit 0
  make_way "${1%/*}"
  mkdir "$tree$1" && same_directory "$source$1" "$tree$1" && touch -r "$source${1%/*}" "$tree${1%/*}"
)
