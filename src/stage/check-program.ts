import { quote } from "../machine/quote.ts";
import type { Assertion } from "./check-verdict.ts";

/** Starts each line that the program prints: the mark, the number of the assertion, the name of a fact, its value. */
export const factMark = "imgspec-fact";

/** One function for each kind of assertion; $1 the number. What is only looked at says nothing on its own. */
const functions = `export LC_ALL=C
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
trap 'exit 143' HUP INT TERM
tell() { printf '%s %s %s %s\\n' ${factMark} "$i" "$1" "$2"; }
# A line is cut where it would be told in pieces; cut(1) also ends the last one.
show() { tr -d '\\000\\r' <"$2" | cut -b 1-60000 | sed "s/^/${factMark} $i $1 /"; }

file() {
  i=$1
  [ -e "$2" ] || [ -L "$2" ] || return 0
  tell there yes
  [ ! -L "$2" ] || tell link yes
  type=other
  [ ! -f "$2" ] || type=file
  [ ! -d "$2" ] || type=directory
  tell type "$type"
  how=$(stat -L -c '%a %U %G' "$2" 2>/dev/null || stat -c '%a %U %G' "$2") || return 0
  tell mode "\${how%% *}"
  how=\${how#* }
  tell owner "\${how%% *}"
  tell group "\${how#* }"
  [ "$3" = read ] && [ "$type" = file ] || return 0
  if head -c 1048576 "$2" >"$dir/text" 2>/dev/null; then tell read yes; show text "$dir/text"; fi
}

command_() {
  i=$1 limit=
  ! command -v timeout >/dev/null 2>&1 || limit="timeout -k 5 $2"
  start=$(date +%s)
  $limit sh -c "$3" >"$dir/text" 2>"$dir/errors" </dev/null
  code=$?
  if [ "$(($(date +%s) - start))" -ge "$2" ]; then case $code in 124 | 137 | 143) code=late ;; esac; fi
  tell code "$code"
  head -c 1048576 "$dir/text" >"$dir/first"
  tell read yes
  show text "$dir/first"
  tail -n 1 "$dir/errors" >"$dir/last"
  show error "$dir/last"
}

package() {
  i=$1
  {
    dpkg-query -W -f '\${db:Status-Status} \${Version}\\n' "$2" | sed -n 's/^installed //p'
    rpm -q --qf '%{VERSION}-%{RELEASE}\\n' "$2" | grep -v 'is not installed'
    apk info -e -v "$2" | sed 's/^.*-\\([^-]*-r[0-9]*\\)$/\\1/'
  } >"$dir/text" 2>/dev/null
  show version "$dir/text"
}

service() {
  i=$1
  if [ -d /run/systemd/system ]; then
    [ "$(systemctl show -p LoadState "$2" 2>/dev/null)" != LoadState=loaded ] || tell there yes
    ! systemctl is-enabled "$2" >/dev/null 2>&1 || tell enabled yes
    ! systemctl is-active "$2" >/dev/null 2>&1 || tell running yes
    return 0
  fi
  [ ! -e "/etc/init.d/$2" ] && [ ! -e "/etc/init/$2.conf" ] || tell there yes
  if ls /etc/rc[2345].d/S[0-9][0-9]"$2" /etc/rc.d/rc[2345].d/S[0-9][0-9]"$2" /etc/runlevels/*/"$2" 2>/dev/null | grep -q . ||
    grep -q '^ *start on' "/etc/init/$2.conf" 2>/dev/null; then tell enabled yes; fi
  # Upstart's own jobs are no scripts.
  if initctl status "$2" 2>/dev/null | grep -q 'start/running' ||
    { [ -x "/etc/init.d/$2" ] && "/etc/init.d/$2" status </dev/null >/dev/null 2>&1; }; then tell running yes; fi
}

port() {
  i=$1
  hex=$(printf %04X "$2")
  ! cat "/proc/net/$3" "/proc/net/\${3}6" 2>/dev/null | grep -qE ":$hex +[0-9A-F]+:0000 +$4 " || tell there yes
}

entry() {
  i=$1
  getent "$2" "$3" 2>/dev/null >"$dir/text" || while IFS= read -r line; do
    case $line in "$3":*) printf '%s\\n' "$line" ;; esac
  done <"/etc/$2" >"$dir/text"
  show entry "$dir/text"
  [ "$2" != passwd ] || tell groups "$(id -Gn "$3" 2>/dev/null)"
}

mounted() {
  i=$1
  while read -r device path type options rest; do
    [ "$path" != "$2" ] || tell mount "$type $options"
  done </proc/mounts
}

process() {
  i=$1
  for comm in /proc/[0-9]*/comm; do
    { read -r name <"$comm"; } 2>/dev/null && [ "$name" = "$2" ] && { tell there yes; return 0; }
  done
  return 0
}

parameter() {
  i=$1
  value=$(tr '\\t\\n' '  ' 2>/dev/null <"/proc/sys/$2") && tell value "$value"
}
`;

/** A program for sh that prints what the assertions are about; it changes nothing, unless their commands do. */
export function toCheckProgram(assertions: readonly Assertion[]): string {
  const calls = assertions.map((assertion, index) => toCall(assertion, String(index)));
  return `#!/bin/sh\n${functions}\n${calls.join("\n")}\nexit 0\n`;
}

const states = { tcp: "0A", udp: "07" } as const;
/** The kernel keeps this much of a name (TASK_COMM_LEN). */
const longestComm = 15;

function toCall(assertion: Assertion, index: string): string {
  const line = (...words: readonly string[]): string => words.map(quote).join(" ");
  const {
    file,
    command,
    package: pack,
    service,
    port,
    user,
    group,
    mount,
    process,
    kernelParameter,
  } = assertion;
  if (file) {
    const isRead = file.contains.length > 0 || file.matches !== null;
    return line("file", index, file.path, isRead ? "read" : "");
  }
  if (command) return line("command_", index, String(command.timeoutSeconds), command.run);
  if (pack) return line("package", index, pack.name);
  if (service) return line("service", index, service.name);
  if (port) return line("port", index, String(port.number), port.protocol, states[port.protocol]);
  if (user) return line("entry", index, "passwd", user.name);
  if (group) return line("entry", index, "group", group.name);
  if (mount) return line("mounted", index, toEscaped(mount.path));
  if (process) return line("process", index, process.name.slice(0, longestComm));
  if (kernelParameter) return line("parameter", index, toParameterPath(kernelParameter.name));
  throw new Error("an assertion about nothing passed the schema");
}

/** As /proc/mounts writes blanks. */
function toEscaped(path: string): string {
  const plain = path.length > 1 ? path.replace(/\/+$/, "") : path;
  return plain.replaceAll("\\", "\\134").replaceAll(" ", "\\040").replaceAll("\t", "\\011");
}

/** Below /proc/sys; as sysctl(8): where the first separator is a slash, dots are part of names. */
function toParameterPath(name: string): string {
  const first = /[./]/.exec(name)?.[0];
  return first === "." ? name.replaceAll(/[./]/g, (found) => (found === "." ? "/" : ".")) : name;
}
