# Runs in the new root, as root: everything that a copy of a file system may lose, in /srv/planted.
set -eu
mkdir -p /srv/planted && cd /srv/planted

echo 'one file, three names' > links-a
ln links-a links-b
mkdir far && ln links-a far/links-c
ln -s links-a relative && ln -s /srv/planted/links-a absolute && ln -s nowhere dangling && ln -s loop loop

echo listed > acl && setfacl -m u:admin:rw-,g:4242:r-- acl
mkdir acl-default && setfacl -d -m u:admin:rwx acl-default
echo attributed > attribute
setfattr -n user.comment -v 'kept with the file' attribute
setfattr -n user.binary -v 0x000102ff attribute
setfattr -h -n trusted.note -v 'only root sees it' attribute
cp /bin/true capable && setcap cap_net_bind_service,cap_net_raw+ep capable

mkdir devices
mknod devices/null c 1 3 && mknod devices/block b 7 99 && mkfifo devices/fifo && chmod 0621 devices/null

echo x > setuid && chmod 4755 setuid && ln setuid setuid-too
echo x > setgid && chmod 2711 setgid
mkdir sticky shared closed && chmod 1777 sticky && chmod 3770 shared && chmod 0000 closed
echo x > unreadable && chmod 0000 unreadable
echo x > foreign && chown 4242:70000 foreign
ln -s foreign foreign-link && chown -h 70000:4242 foreign-link
mkdir empty

truncate -s 64M sparse
printf begin | dd of=sparse conv=notrunc status=none
printf middle | dd of=sparse bs=1M seek=33 conv=notrunc status=none
truncate -s 3M hole

mkdir odd && cd odd
touch -- 'with space' ' leading' 'trailing ' '-rf' '*' '?' '[a]' 'a"quote' "a'quote" 'back\slash' '$HOME' '`id`' '#hash' '%s%n' '~' '.hidden' '...'
touch -- "$(printf 'new\nline')" "$(printf 'tab\there')" "$(printf 'caf\303\251')" "$(printf 'latin-\351')"
touch -- "$(printf '%0255d' 0)"
cd ..
deep=deep; while [ ${#deep} -lt 900 ]; do deep=$deep/0123456789012345678901234567890123456789; done
mkdir -p "$deep" && echo bottom > "$deep/file"
touch -d '1999-12-31 23:59:59.123456789 UTC' old

# At the top, where a glob of * does not reach, and names that a file filter would take for keys.
mkdir /.hidden-folder && echo kept > /.hidden-folder/file && echo kept > /.hidden
mkdir -p /etc/planted && cp /etc/ssl/certs/ca-certificates.crt /etc/planted/authority.pem
# A directory that something is mounted on keeps its own mode.
mkdir -p /srv/data && chmod 0751 /srv/data
