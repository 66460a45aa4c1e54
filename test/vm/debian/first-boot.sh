#!/bin/sh
# What cloud-init does at boot, as far as a build needs it: once for each instance id.
set -u
metadata=http://169.254.169.254/latest

token=
tries=0
until token=$(curl -sf -m 5 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 600' "$metadata/api/token"); do
  tries=$((tries + 1))
  [ "$tries" -lt 60 ] || { echo "no metadata service answers"; exit 1; }
  sleep 0.5
done
get() { curl -sf -m 10 -H "X-aws-ec2-metadata-token: $token" "$metadata/$1"; }

instance=$(get meta-data/instance-id)
state=/var/lib/cloud/instances/$instance

# Each boot: the instance store volume, which loses its content with the instance only.
disk=$(get meta-data/block-device-mapping/ephemeral0) && {
  disk=/dev/vd${disk#?d}
  [ -b "$disk" ] && ! mountpoint -q /mnt && mount "$disk" /mnt
}

[ -e "$state" ] && exit 0
mkdir -p "$state"
hostname "$(get meta-data/local-hostname)"

rm -f /etc/ssh/ssh_host_*
ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key

if key=$(get meta-data/public-keys/0/openssh-key); then
  install -d -m 0700 -o admin -g admin /home/admin/.ssh
  touch /home/admin/.ssh/authorized_keys
  chown admin:admin /home/admin/.ssh/authorized_keys
  chmod 0600 /home/admin/.ssh/authorized_keys
  grep -qxF "$key" /home/admin/.ssh/authorized_keys || echo "$key" >> /home/admin/.ssh/authorized_keys
fi

if get user-data > "$state/user-data.txt"; then
  chmod 0700 "$state/user-data.txt"
  case $(head -c 2 "$state/user-data.txt") in '#!') "$state/user-data.txt" ;; esac
fi

{
  echo '-----BEGIN SSH HOST KEY KEYS-----'
  cat /etc/ssh/ssh_host_*_key.pub
  echo '-----END SSH HOST KEY KEYS-----'
} > /dev/console
