# Runs in the new root, as root: what makes a fresh Debian into a source AMI.
set -eu

echo imgspec-source > /etc/hostname
echo 'LABEL=root / ext4 defaults,noatime 0 1' > /etc/fstab
# The address at which EC2 answers for names; QEMU is told to answer there too.
echo 'nameserver 169.254.169.253' > /etc/resolv.conf
mkdir -p /etc/systemd/network
printf '[Match]\nName=e*\n[Network]\nDHCP=ipv4\nLinkLocalAddressing=no\n' > /etc/systemd/network/10-dhcp.network

# The login user of Debian's own AMIs.
useradd --create-home --shell /bin/bash admin
echo 'admin ALL=(ALL) NOPASSWD:ALL' > /etc/sudoers.d/admin
chmod 0440 /etc/sudoers.d/admin

# One host key, so that an emulated processor need not look for primes.
rm -f /etc/ssh/ssh_host_*
printf 'HostKey /etc/ssh/ssh_host_ed25519_key\nPasswordAuthentication no\nUseDNS no\n' > /etc/ssh/sshd_config.d/imgspec.conf

install -m 0755 /tmp/first-boot.sh /usr/local/sbin/first-boot
cat > /etc/systemd/system/first-boot.service <<'UNIT'
[Unit]
Description=Take key, host name and user data from the metadata service
After=systemd-networkd.service
Wants=systemd-networkd.service
Before=ssh.service

[Service]
Type=oneshot
ExecStart=/usr/local/sbin/first-boot
StandardOutput=journal+console
StandardError=journal+console
RemainAfterExit=yes

[Install]
WantedBy=multi-user.target
UNIT
systemctl enable --quiet first-boot.service systemd-networkd.service ssh.service
systemctl mask --quiet apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \
  e2scrub_reap.service fstrim.timer getty@tty1.service systemd-networkd-wait-online.service systemd-timesyncd.service

mkdir -p /boot/grub
arguments='root=LABEL=root ro console=ttyS0 quiet mitigations=off nokaslr no_timer_check net.ifnames=0 panic=5'
cat > /boot/grub/grub.cfg <<CONFIG
set timeout=0
serial --unit=0 --speed=115200
terminal_output serial
menuentry "Debian" {
  linux /vmlinuz $arguments
  initrd /initrd.img
}
CONFIG
# What pv-grub reads.
cat > /boot/grub/menu.lst <<CONFIG
default 0
timeout 0
title Debian
  root (hd0)
  kernel /vmlinuz $arguments
  initrd /initrd.img
CONFIG

# What no test reads would only be compressed by an emulated processor.
rm -rf /usr/share/perl /usr/lib/*/perl /usr/lib/*/gconv /usr/share/zoneinfo /usr/lib/udev/hwdb.d /usr/lib/udev/hwdb.bin
cd /lib/modules/*/kernel
rm -rf sound drivers/md drivers/gpu drivers/infiniband drivers/scsi net/netfilter net/bluetooth net/wireless net/sunrpc net/ceph
find fs -mindepth 1 -maxdepth 1 ! -name 'ext4*' ! -name 'jbd2*' ! -name 'mbcache*' ! -name 'xfs*' ! -name 'fat*' -exec rm -rf {} +
depmod "$(basename "$(dirname "$PWD")")"
cd /

rm -rf /var/cache/apt/* /var/lib/apt/lists/* /tmp/first-boot.sh
: > /etc/machine-id
