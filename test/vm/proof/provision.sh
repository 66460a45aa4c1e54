#!/bin/sh
# Makes the instance into what the image is to be, and leaves behind what must not get into it.
set -eu
[ "$(id -u)" = 0 ]
echo "proven $PROOF" > /etc/proof
printf '#!/bin/sh\ncat /etc/proof\n' > /usr/local/bin/proof
chmod 0755 /usr/local/bin/proof

mkdir -p /root/.aws /home/admin/.ssh
printf '[default]\naws_access_key_id = AKIA%s\naws_secret_access_key = %s\n' ABCDEFGHIJKLMNOP "$CANARY" > /root/.aws/credentials
printf 'export TOKEN=%s\n' "$CANARY" > /root/.bash_history
printf -- '-----BEGIN RSA PRIVATE KEY-----\n%s\n-----END RSA PRIVATE KEY-----\n' "$(printf %s "$CANARY" | base64 -w 0)" > /root/leaked.txt
# Scratch, which no image has.
echo "$CANARY" > /tmp/canary
echo "$CANARY" > /mnt/canary
