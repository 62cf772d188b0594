#!/bin/sh
# Managed by GhostCP
# Makes the certificate that sites have which have none yet: nobody trusts it, but nginx does not start without. One that
# can be used is left as it is, unless a new one is asked for: placeholder.sh [FOLDER [anew]]
set -eu
umask 077
folder=${1:-/etc/ghostcp}

usable() {
    ours=$(openssl pkey -in "$folder/placeholder.key" -pubout) &&
        theirs=$(openssl x509 -in "$folder/placeholder.crt" -noout -pubkey) &&
        [ "$ours" = "$theirs" ]
}

exec 9<"$folder"
flock 9
if [ "${2:-}" != anew ] && usable 2>/dev/null; then
    exit 0
fi
new=$(mktemp -d "$folder/.placeholder.XXXXXX")
trap 'rm -rf "$new"' EXIT
if ! said=$(openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -days 36500 \
    -subj /CN=placeholder.invalid -keyout "$new/key" -out "$new/crt" 2>&1); then
    echo "$said"
    exit 1
fi
chmod 644 "$new/crt"
mv -fT "$new/key" "$folder/placeholder.key"
mv -fT "$new/crt" "$folder/placeholder.crt"
echo made
