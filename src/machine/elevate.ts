import { quote } from "./quote.ts";

/**
 * Runs a command line as root: as it is if the user is root, else through sudo. $1 the line; $2 `password`: the first
 * line of stdin is one for sudo; $3 `anyway`: as the user where sudo refuses. To a sudo that wants a terminal
 * (requiretty) it gives one that nothing but sudo sees: the command's own ends are pipes, where bytes stay as they are.
 * With a password sudo has to ask (-k), or the command would read what sudo left.
 */
export const elevator = `line=$1 else=$3 password=
[ "$2" != password ] || IFS= read -r password
eval "set -- $line"
[ "$(id -u)" != 0 ] || exec "$@"
how=-n
told=$(LC_ALL=C sudo -n true 2>&1 </dev/null) && exec sudo -n "$@"
case $told in
  *"must have a tty"*) ;;
  *"password is required"*)
    if [ -n "$password" ]; then
      { printf '%s\\n' "$password"; exec cat; } | sudo -k -S -p '' "$@"
      exit
    fi
    [ -z "$else" ] || exec "$@"
    exec sudo -n "$@" ;;
  *)
    [ -z "$else" ] || exec "$@"
    exec sudo -n "$@" ;;
esac
command -v script >/dev/null || { echo "sudo wants a terminal, and there is no script(1) to give it one" >&2; exit 1; }
for base in /dev/shm /run "\${TMPDIR:-/tmp}" /tmp; do
  dir=$base/imgspec-tty-$$
  (umask 077 && mkdir "$dir") 2>/dev/null && break
  dir=
done
[ -n "$dir" ] || { echo "no directory in which pipes can be made" >&2; exit 1; }
trap 'rm -rf "$dir"' EXIT
trap 'exit 143' HUP INT TERM
mkfifo -m 600 "$dir/hold" "$dir/in" "$dir/out" "$dir/err" "$dir/code" || exit 1
[ -z "$password" ] || how="-k -S -p ''"
# Each pipe is opened for both ways first, or the shell would wait for the other end.
exec 3<&0 0<>"$dir/hold"
exec 4<>"$dir/in" 5<"$dir/in" 6>"$dir/in" 4<&-
{ [ -z "$password" ] || printf '%s\\n' "$password"; exec cat; } <&3 >&6 3<&- 5<&- 6>&- & feed=$!
exec 3<&- 6>&-
exec 3<>"$dir/out" 4<"$dir/out" 6>"$dir/out" 3<&-
cat <&4 4<&- 5<&- 6>&- & out=$!
exec 3<>"$dir/err" 4<"$dir/err" 7>"$dir/err" 3<&-
cat <&4 >&2 4<&- 5<&- 6>&- 7>&- & err=$!
exec 3<>"$dir/code" 4<"$dir/code" 8>"$dir/code" 3<&-
# What has no name any more is not left behind, however this ends.
rm -rf "$dir"
# Its own stdin must neither end nor be ours.
SHELL=/bin/sh script -q -c "sudo $how $line <&5 >&6 2>&7 5<&- 6>&- 7>&- 8>&-; echo \\$? >&8" /dev/null >/dev/null 2>&1 4<&-
exec 5<&- 6>&- 7>&- 8>&-
kill "$feed" 2>/dev/null
wait "$out" "$err"
read -r code <&4 || exit 1
exit "$code"
`;

const beginning = `sh -c ${quote(elevator)} sh `;

/**
 * A command line that runs these words as root, through sudo unless the user is root. `anyway`: as the user where sudo
 * refuses. The machine gives sudo the password, if it needs one and there is one.
 */
export function elevate(words: readonly string[], otherwise?: "anyway"): string {
  const line = words.map(quote).join(" ");
  return `${beginning}${[line, "", ...(otherwise === undefined ? [] : [otherwise])].map(quote).join(" ")}`;
}

/** The same command with a password for sudo, when it is one that was made by `elevate`. */
export function withPassword<T extends { readonly stdin?: string | Uint8Array }>(
  command: string,
  options: T,
  password: string | null,
): { readonly command: string; readonly options: T } {
  if (password === null || !command.startsWith(beginning)) return { command, options };
  // The empty word that is replaced is the last of its kind: what follows it can only be "anyway".
  const at = command.lastIndexOf(" ''");
  const changed = `${command.slice(0, at)} password${command.slice(at + " ''".length)}`;
  const stdin = Buffer.concat([Buffer.from(`${password}\n`), Buffer.from(options.stdin ?? "")]);
  return { command: changed, options: { ...options, stdin } };
}
