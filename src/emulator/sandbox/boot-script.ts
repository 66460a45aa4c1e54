import { quote } from "./quote.ts";
import { loginUsers } from "./users.ts";

/** How an instance gets files of its own: a layer over its root, or a whole copy of it. */
export type CopyMethod = "overlay" | "copy";

/** Starts the console line that tells of the first process; its id, as this machine counts, follows. */
export const readyMark = "imgspec-ready";
/** The console line by which an instance asks to be started anew. */
export const rebootMark = "imgspec-reboot";

/**
 * Run with the machine's own shell in the new namespaces, in the folder that holds everything; $1 the root tree, $2 the
 * instance's folder, $3 the copy method, $4 the host name. Ends as /bin/sh of the instance, reading its further script.
 */
export const bootScript = `set -eu
# The old /proc still counts as the machine does: this is how the machine knows us.
read -r machine_pid _ </proc/self/stat
mount --make-rprivate /
case $3 in
overlay) mount -c -t overlay -o "userxattr,lowerdir=$1,upperdir=$2/upper,workdir=$2/work" overlay "$2/root" ;;
copy)
  # A second boot finds what the first one left.
  [ -e "$2/work/copied" ] || cp -a --reflink=auto -- "$1/." "$2/root"
  : >"$2/work/copied"
  mount -c --bind "$2/root" "$2/root"
  ;;
esac
# By the path alone, not by way of the folders above, which may let nobody in.
cd -P "$2/root"
for folder in dev mnt proc run sys tmp; do [ -d "$folder" ] || mkdir -- "$folder"; done
if mount -c -t sysfs sysfs sys; then
  # IFF_UP | IFF_LOOPBACK, since a bare machine may have no ip(8).
  echo 0x9 >sys/class/net/lo/flags || :
fi
mount -c -t proc -o nosuid,nodev,noexec proc proc
mount -c -t tmpfs -o mode=755,nosuid dev dev
mkdir dev/pts dev/shm
mount -c -t devpts -o newinstance,ptmxmode=0666,mode=0620 devpts dev/pts
mount -c -t tmpfs -o mode=1777,nosuid,nodev shm dev/shm
mount -c -t tmpfs -o mode=755,nosuid,nodev run run
mount -c -t tmpfs -o mode=1777,nosuid,nodev tmp tmp
# As on EC2, the first ephemeral disk: room to work that is not part of the root.
mount -c --bind ../ephemeral mnt
# That of the machine would not change when the instance boots again.
cat proc/sys/kernel/random/uuid >run/boot_id
mount -c --bind run/boot_id proc/sys/kernel/random/boot_id
for device in null zero full random urandom tty; do
  : >"dev/$device"
  mount -c --bind "/dev/$device" "dev/$device"
done
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s /proc/self/fd/0 dev/stdin
ln -s /proc/self/fd/1 dev/stdout
ln -s /proc/self/fd/2 dev/stderr
hostname "$4"
mkdir run/machine run/lock
pivot_root . run/machine
cd /
[ -x /bin/sh ] || { echo "its root has no /bin/sh"; exit 1; }
umount -l /run/machine
rmdir /run/machine
# It tells of the machine's disks, which an instance has none of.
umount /sys || :
export HOME=/root machine_pid
exec /bin/sh -s
`;

/** What the first process of an instance reads from its standard input, which stays open for as long as the instance may live. */
export function toInitScript(options: {
  readonly hostname: string;
  readonly authorizedKeys: readonly string[];
  readonly hostKey: string;
  readonly userData: string | null;
}): string {
  const { hostname, authorizedKeys, hostKey, userData } = options;
  const keys = authorizedKeys.map((key) => `${key.trim()}\n`).join("");
  // One function, so that the shell has read all of it before it hands its input on.
  return `main() {
exec 3<&0 </dev/null
umask 022
echo ${quote(hostname)} >/etc/hostname
for home in /root ${loginUsers.map((user) => `/home/${user}`).join(" ")}; do
  mkdir -p "$home/.ssh" && chmod 700 "$home/.ssh"
  printf %s ${quote(keys)} >"$home/.ssh/authorized_keys"
  chmod 600 "$home/.ssh/authorized_keys"
done
mkdir -p /etc/ssh /var/lib/cloud/instance /var/log
echo ${quote(hostKey)} >/etc/ssh/ssh_host_ed25519_key.pub
cat <<'END'
ci-info: no network interfaces but lo
-----BEGIN SSH HOST KEY KEYS-----
${hostKey}
-----END SSH HOST KEY KEYS-----
${hostname} login:
END
echo "${readyMark} $machine_pid"
unset machine_pid
${userData === null ? ":" : toUserDataStart(userData)}
# When the machine lets go of its end, or dies, cat ends, and with the first process the kernel ends all others.
# Waiting, not reading, is what lets the shell collect orphans; a signal ends the waiting, too.
trap 'echo ${rebootMark}' USR1
cat <&3 >/dev/null &
wait $!
exit 0
}
main
`;
}

function toUserDataStart(userData: string): string {
  const path = "/var/lib/cloud/instance/user-data.txt";
  const store = `printf %s ${quote(userData)} >${path}\nchmod 700 ${path}`;
  if (!userData.startsWith("#!")) return store;
  return `${store}\n( ${path} 3<&- 2>&1 | tee /var/log/cloud-init-output.log ) 3<&- &`;
}
