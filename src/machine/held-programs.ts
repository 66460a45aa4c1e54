/**
 * The shell programs of a held command. All travel by stdin to `sh -c 'eval "$(cat)"'`: a line that shows nothing in a
 * process list, and that does nothing when only a part of it arrived.
 */
export const loader = 'eval "$(cat)"';

/** The directory is on the first of these that can be written; the first two are in memory. */
const bases = `/dev/shm /run "\${TMPDIR:-/tmp}" /tmp`;

/** Starts a line that answers, since the shell of a user may greet first. */
export const answerMark = "imgspec-held";

/** Exit codes of the starter. */
export const startFailures = { noPlace: 90, noRoot: 91 } as const;

/**
 * Makes the directory and starts the command in it, once, however often it is run; $1 the name, $2 empty, or
 * for root its arguments as one line of words, then the arguments. Finds `program`, `input`, `supervisor`, `elevator` and `password` as variables.
 */
export const starter: string = `start() {
name=$1 sudo=$2
shift 2
mask=$(umask)
umask 077
[ "$(id -u)" != 0 ] || sudo=
if [ -n "$sudo" ]; then
  printf '%s\\n' "$password" | sh -c "$elevator" sh true "\${password:+password}" || exit ${startFailures.noRoot}
fi
for base in ${bases}; do
  if settle "$base/$name"; then break; fi
  dir=
done
[ -n "$dir" ] || { echo "no directory in which files can be made" >&2; exit ${startFailures.noPlace}; }
# Held open before anything says that it runs: whoever follows from then on sees it alive.
exec 8<>"$dir/alive" || exit ${startFailures.noPlace}
if mkdir "$dir/lock" 2>/dev/null; then
  detach=
  if command -v setsid >/dev/null 2>&1; then detach=setsid; else trap '' HUP; fi
  # printf is built into the shell, so what it prints is in no process list.
  if [ -n "$sudo" ]; then
    { [ -z "$password" ] || printf '%s\\n' "$password"; printf %s "$input"; } |
      $detach sh -c "$elevator" sh "sh $dir/supervisor $dir $name $mask $sudo" "\${password:+password}"
  else
    printf %s "$input" | $detach sh "$dir/supervisor" "$dir" "$name" "$mask" "$@"
  fi >/dev/null 2>&1 </dev/null &
fi
echo "${answerMark} $dir $(cat /proc/sys/kernel/random/boot_id 2>/dev/null)"
}
settle() {
dir=$1
mkdir "$dir" 2>/dev/null || [ -d "$dir" ] || return 1
# Made by an earlier try, or by somebody else to trap us?
set -- $(ls -ldn "$dir")
case $1:$3 in drwx--[-S]---*:"$(id -u)") ;; *) return 1 ;; esac
if [ -d "$dir/lock" ]; then return 0; fi
mkfifo "$dir/alive" "$dir/out.pipe" "$dir/err.pipe" 2>/dev/null
put program "$program" && put supervisor "$supervisor" && [ -p "$dir/err.pipe" ] &&
  : >>"$dir/out" && : >>"$dir/err" && return 0
rm -rf "$dir"
return 1
} 2>/dev/null
put() {
printf '%s\\n' "$2" >"$dir/$1.$$" && mv -f "$dir/$1.$$" "$dir/$1"
}
{ start "$@"; }
`;

/**
 * Stays with the command to its end; $1 the directory, $2 the name, $3 the umask, then the command's arguments. The outputs
 * are pipes, since a program that opens /dev/stderr anew would empty a file.
 */
export const supervisor = `dir=$1 name=$2 mask=$3
shift 3
umask 077
exec 8<>"$dir/alive"
export IMGSPEC_COMMAND="$name"
cat <"$dir/out.pipe" >>"$dir/out" 8>&- &
out=$!
cat <"$dir/err.pipe" >>"$dir/err" 8>&- &
err=$!
(umask "$mask" && exec sh "$dir/program" "$@") >"$dir/out.pipe" 2>"$dir/err.pipe" 8>&-
code=$?
# A daemon may hold the outputs open for ever.
(
  trap 'kill "$nap"; exit' TERM
  sleep 2 & nap=$!
  wait "$nap"
  kill "$out" "$err"
) 8>&- &
guard=$!
wait "$out" "$err"
kill "$guard"
wait "$guard"
# The user has to read it, even when root wrote it; nobody else can enter the directory.
(umask 022 && echo "$code" >"$dir/exit.part") && mv -f "$dir/exit.part" "$dir/exit"
`;

/** Tells, on both outputs, how the command stands: its exit code, `none` yet, or `gone` with its directory; $1 that. */
const tell = `how=gone
if cd "$1" 2>/dev/null && [ -d lock ]; then
  how=none
  [ ! -s exit ] || read -r how <exit
fi
answer="${answerMark} $how $(cat /proc/sys/kernel/random/boot_id 2>/dev/null)"
echo "$answer"
echo "$answer" >&2
[ "$how" != gone ] || exit 1
`;

/**
 * Prints what the command wrote from these bytes on, until it is over, without ever asking whether it is: the kernel
 * ends the cat when the last who holds the pipe is gone. $1 the directory, $2 and $3 the first bytes, from 1.
 */
export const follower: string = `${tell}
# Opening it for reading alone would wait for a writer, who may be gone already.
exec 8<>alive 7<alive 8>&-
tail -c "+$2" -f out 7<&- & out=$!
tail -c "+$3" -f err 7<&- >&2 & err=$!
cat <&7 >/dev/null
kill "$out" "$err"
wait
`;

/** What the follower did not print before it ended its tails, and how the command ended. */
export const rest: string = `${tell}
tail -c "+$2" out
tail -c "+$3" err >&2
`;

/** Removes the directory, wherever it was made; $1 the name. */
export const remover: string = `for base in ${bases}; do rm -rf "$base/$1"; done
`;
