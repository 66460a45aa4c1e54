# What is found in homes by name, and anywhere by content.

in_home() {
  home=$1
  for name in .bash_history .zsh_history .sh_history .ash_history .history .python_history .mysql_history .psql_history \
    .sqlite_history .rediscli_history .node_repl_history .lesshst .viminfo .wget-hsts .local/share/fish/fish_history; do
    [ -L "$home/$name" ] || each_file shellHistories drop_file "$home/$name"
  done
  for name in .aws/credentials .boto .s3cfg .passwd-s3fs .netrc .git-credentials .pypirc .pgpass .my.cnf .vault-token \
    .config/rclone/rclone.conf .config/gh/hosts.yml .azure/accessTokens.json .azure/msal_token_cache.json \
    .config/gcloud/credentials.db .config/gcloud/access_tokens.db .config/gcloud/application_default_credentials.json \
    .kube/config .terraform.d/credentials.tfrc.json; do
    each_file cloudCredentials drop_file "$home/$name"
  done
  # These are credentials only with a line that says so.
  for name in .docker/config.json:'"auth"' .npmrc:_auth .config/containers/auth.json:'"auth"'; do
    in_image "$home/${name%%:*}/." || continue
    ! grep -qs -e "${name#*:}" "$real" || found cloudCredentials "$real"
  done
  for file in "$home"/.gnupg/private-keys-v1.d/*.key "$home"/.gnupg/secring.gpg; do each_file privateKeys drop_file "$file"; done
  for file in "$home"/.aws/cli/cache/*.json "$home"/.aws/sso/cache/*.json; do each_file cloudCredentials drop_file "$file"; done
}

# Runs find with these tests where keys are looked for: outside of what packages own, whose examples and tests hold keys
# that are nobody's.
find_searched() {
  find "$tree" \( -path "$tree/usr" -o -path "$tree/lib" -o -path "$tree/lib64" -o -path "$tree/bin" -o -path "$tree/sbin" \
    -o -path "$tree/nix/store" -o -path "$tree/gnu/store" -o -path "$tree/var/lib/dpkg" -o -path "$tree/var/lib/rpm" \
    -o -path "$tree/etc/ssl/private/ssl-cert-snakeoil.key" -o -path "$tree/etc/ssh/ssh_host_*" \) -prune -o "$@"
  for place in "$tree/usr/local" "$tree/usr/src"; do [ ! -d "$place" ] || find "$place" "$@"; done
}

# Text of up to 1 MiB.
search_contents() {
  [ "$do_privateKeys$do_cloudCredentials" != keepkeep ] || return 0
  set -- -e 'PRIVATE KEY' -e AGE-SECRET-KEY-1 -e PuTTY-User-Key-File- -e AKIA -e ASIA \
    -e aws_secret_access_key -e AWS_SECRET_ACCESS_KEY -e aws_session_token
  find_searched -type f -size +0 -size -2049 ! -path "*$newline*" -exec grep -lF "$@" {} + >"$stage/suspects" 2>/dev/null
  # Lists of names are read by lines.
  find_searched -type f -size +0 -size -2049 -path "*$newline*" -exec grep -qF "$@" {} \; -print >"$stage/unreadable" 2>/dev/null
  if IFS= read -r suspect <"$stage/unreadable"; then
    suspect=${suspect%/*}
    problem "a file whose name has a line end seems to hold a key: in ${suspect#"$tree"}/"
  fi
  while IFS= read -r suspect; do
    [ -f "$suspect" ] || continue
    ! holds_private_key "$suspect" || found privateKeys "$suspect"
    ! holds_credential "$suspect" || found cloudCredentials "$suspect"
  done <"$stage/suspects"
}

# The line alone says nothing, programs and manuals have it too: key material must follow, below it or (JSON) behind it.
holds_private_key() {
  grep -aqE 'PRIVATE KEY-----(\\r)?\\n[A-Za-z0-9+/]{40}|^AGE-SECRET-KEY-1[A-Z0-9]{50}' "$1" && return 0
  grep -qs -e '^PuTTY-User-Key-File-' "$1" && grep -qs -e '^Private-Lines:' "$1" && return 0
  grep -a -A 4 -E -e '-----BEGIN [A-Z0-9 ]*PRIVATE KEY( BLOCK)?-----' "$1" | grep -aqE '^[^A-Za-z0-9]*[A-Za-z0-9+/=]{40,}'
}

# Not the keys of AWS's documentation, which end in EXAMPLE or EXAMPLEKEY.
holds_credential() {
  grep -aE '(^|[^A-Za-z0-9])A[KS]IA[A-Z0-9]{16}([^A-Za-z0-9]|$)' "$1" | grep -aqv EXAMPLE && return 0
  grep -aiE 'aws_secret_access_key[^A-Za-z0-9/+]{1,8}[A-Za-z0-9/+]{40}([^A-Za-z0-9/+]|$)' "$1" | grep -aqv EXAMPLE
}
