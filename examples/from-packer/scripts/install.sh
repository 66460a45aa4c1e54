#!/bin/sh
# Installs the command `greet`, which says $GREETING.
set -eu

echo "installing greet on $(uname -sr)"
mkdir -p /usr/local/bin
cat > /usr/local/bin/greet <<END
#!/bin/sh
echo "$GREETING"
echo "built on $(date -u +%Y-%m-%dT%H:%M:%SZ), running on \$(hostname)"
END
chmod 0755 /usr/local/bin/greet
greet
