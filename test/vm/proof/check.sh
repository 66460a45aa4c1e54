# Run in an instance of the new image, which has booted by itself.
set -eux
[ "$(proof)" = "proven by a build" ]
[ "$(cat /proc/1/comm)" = systemd ]
sudo sh -c 'test ! -e /root/.aws/credentials && test ! -e /root/.bash_history && test ! -e /root/leaked.txt'
[ ! -e /tmp/canary ] && [ ! -e /mnt/canary ]
[ "$(wc -l < /home/admin/.ssh/authorized_keys)" = 1 ]
[ "$(wc -c < /etc/machine-id)" = 33 ]
sudo getcap /srv/planted/capable | grep -q 'cap_net_bind_service,cap_net_raw=ep'
sudo getfacl -cp /srv/planted/acl | grep -q '^user:admin:rw-$'
echo "it boots"
