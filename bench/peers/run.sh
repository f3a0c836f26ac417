#!/usr/bin/env bash
# Drives other systems over the emulated line on the same records (script/bench --peers).
#
#   bench/peers/run.sh LINK TEXTS FOLDER FIGURES [NAME...]    NAME: pouchdb, yjs, automerge
#
# What they need is installed by npm into FOLDER, as package-lock.json pins it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
link=$(realpath "$1") texts=$(realpath "$2") folder=$3 figures=$(realpath "$4")
shift 4
names=("$@")
[ ${#names[@]} -gt 0 ] || names=(pouchdb yjs automerge)

mkdir -p "$folder"
cp "$here"/.npmrc "$here"/package.json "$here"/package-lock.json "$here"/*.mjs "$folder"
cd "$folder"
if ! cmp -s package-lock.json node_modules/.installed; then
    # Not npm ci: that takes it amiss that some optional packages of one are nowhere.
    timeout 600 npm install --no-progress </dev/null >npm.log 2>&1 || {
        tail -n 5 npm.log
        echo "peers: SKIPPED, npm could not install them"
        exit 1
    }
    cp package-lock.json node_modules/.installed
fi
for name in "${names[@]}"; do
    echo "$name"
    timeout 900 "$here/../../tests/netns.sh" node "$name.mjs" "$link" "$texts" 300 100000 >"$name.jsonl" || echo "peers: $name FAILED"
    sed 's/^/  /' "$name.jsonl"
    cat "$name.jsonl" >>"$figures"
done
