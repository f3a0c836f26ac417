#!/usr/bin/env bash
# Keeps what a simulated world has on disk as the golden databases of a released format: run once for
# each, with the build that is released, and never again. tests/golden/README.md says what is kept.
#
#   tests/golden/keep_database.sh FORMAT [BUILD]
set -euo pipefail

format=$1
build=${2:-build/release}
to=$(dirname "$0")/format-$format
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
[ ! -e "$to" ] || { echo "$to is there already" >&2; exit 1; }

# A world in which the hub was restored, phones were copied, words erased and devices revoked.
hub=$("$build/tests/sim/sim" --seed 7 --steps 250 --keep "$work/world" | sed -n "s/.*the hub's store is //p")
backup=$(ls -t "$work"/world/backup* | head -1)

# Keys that are given out ahead are random and would not pack: only those of the first 1,024 words.
keys_of() { { head -c 32768 "$1"/keys/*; head -c 98304 /dev/zero; } >"$2"; }

mkdir "$to"
for store in hub device; do
    [ $store = hub ] && folder=$hub || folder=$work/world/device0
    [ "$(ls "$folder/keys")" = 00000001-0000000000000000 ]
    keys_of "$folder" "$work/keys"
    zstd -q -19 "$folder/data.mdb" -o "$to/$store.data.zst"
    zstd -q -19 "$work/keys" -o "$to/$store.keys.zst"
done
zstd -q -19 "$hub/orders" -o "$to/hub.orders.zst"
cp "$backup" "$to/backup"
