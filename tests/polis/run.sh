#!/usr/bin/env bash
# usage: tests/polis/run.sh BUILD_DIR DATA_DIR CONVERSATION...
#
# For each conversation: a community of its own on a real hub, five devices joined by real invitations.
# One brings the statements; then all hear votes in four rounds. Two of them stay offline until the end,
# one more skips every other round. At last all sync until nothing moves; then the fingerprints of the
# five devices and of the hub's own database must be one, and every device's tallies must be what
# check.py counts.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
bin=$1 data=$2
shift 2

work=$(mktemp -d)
hub=

at_end() {
    if [ -n "$hub" ]; then
        kill -TERM "$hub" 2>/dev/null && wait "$hub" || true
    fi
    rm -rf "$work"
}
trap at_end EXIT

fail() {
    echo "polis: FAILED: $*" >&2
    tail -n 5 "$work/hub.log" >&2
    exit 1
}

folkmootctl() {
    "$bin/daemon/folkmootctl" --socket "$work/control.sock" "$@"
}

start_hub() {
    local port=$((20000 + RANDOM % 20000))
    cat >"$work/folkmootd.conf" <<CONF
[hub]
state_dir = $work/hub
address = 127.0.0.1:$port

[listen]
tls = 127.0.0.1:$port
control = $work/control.sock
CONF
    "$bin/daemon/folkmootd" --config "$work/folkmootd.conf" 2>"$work/hub.log" &
    hub=$!
    local try
    for try in $(seq 100); do
        if folkmootctl status >/dev/null 2>&1; then
            return
        fi
        sleep 0.1
    done
    fail "the hub did not start"
}

# device N COMMAND...
device() {
    local n=$1
    shift
    "$bin/client/command/folkmoot" --store "$work/$name/$n" "$@"
}

sync() {
    device "$1" --json sync >>"$work/$name/syncs" || fail "$name: device $1 could not sync"
}

join() {
    local link
    link=$(folkmootctl --json invite "$name" --label "device $1" |
        sed -n 's/.*"link":[[:space:]]*"\([^"]*\)".*/\1/p')
    device "$1" join "$link" >/dev/null
}

collect() {
    local round=$1 n
    for n in 1 2 3 4 5; do
        device "$n" import "$work/$name/votes-$n-$round.csv" >/dev/null ||
            fail "$name: device $n could not import round $round"
    done
    sync 1
    sync 2
    if [ $((round % 2)) = 0 ]; then
        sync 3
    fi
}

compare() {
    local n hub_has device_has
    hub_has=$(folkmootctl fingerprint "$name")
    for n in 1 2 3 4 5; do
        device_has=$(device "$n" fingerprint)
        [ "$device_has" = "$hub_has" ] ||
            fail "$name: the hub holds $hub_has, device $n $device_has"
        device "$n" list need --json | python3 "$here/check.py" "$data/$name" >"$work/$name/check" ||
            fail "$name: device $n counts wrongly"
    done
    echo "  $(cat "$work/$name/check"), on five devices; all and the hub hold $hub_has"
}

bytes() {
    python3 - "$work/$name/syncs" <<'PY'
import json, sys
text, at, out, back = open(sys.argv[1]).read(), 0, 0, 0
decoder = json.JSONDecoder()
while text[at:].strip():
    at += len(text[at:]) - len(text[at:].lstrip())
    one, end = decoder.raw_decode(text[at:])
    at += end
    out, back = out + one["bytes_out"], back + one["bytes_in"]
print(f"{out:,} bytes up, {back:,} bytes down")
PY
}

conversation() {
    name=$1
    local n round started=$SECONDS dealt
    mkdir -p "$work/$name"
    dealt=$(python3 "$here/prepare.py" "$data/$name" "$work/$name")
    folkmootctl community create "$name" >/dev/null
    for n in 1 2 3 4 5; do
        join "$n"
    done
    device 1 import "$work/$name/needs.csv" >/dev/null
    for n in 1 2 3 4 5; do
        sync "$n"
    done
    for round in 1 2 3 4; do
        collect "$round"
    done
    for n in 5 4 3 1 2 3 4 5 1 2; do
        sync "$n"
    done
    echo "$name: $dealt, dealt to five; $((SECONDS - started)) s, $(bytes)"
    compare
}

start_hub
for name in "$@"; do
    conversation "$name"
done
echo "polis: $# conversations, all tallies right, all replicas the same"
