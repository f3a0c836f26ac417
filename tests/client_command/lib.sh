# What the tests of the command share. To be sourced: the program is $1, the hub's are $2 and $3.
# shellcheck shell=bash
set -euo pipefail

folkmoot=$1
folkmootd=${2:-}
folkmootctl=${3:-}
# shellcheck disable=SC2034
samples=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../samples" && pwd)
hub_pid=
checks=0
port=7443

# The hub's tests have the loopback of a network namespace to themselves where one can be made.
if [ -n "$folkmootd" ] && [ -z "${FOLKMOOT_NETNS:-}" ] && unshare -rn true 2>/dev/null; then
    FOLKMOOT_NETNS=1 exec unshare -rn "$0" "$@"
fi
if [ -n "${FOLKMOOT_NETNS:-}" ]; then
    ip link set lo up
else
    port=$((20000 + $$ % 20000))
fi

dir=$(mktemp -d)
unset FOLKMOOT_STORE XDG_DATA_HOME
export HOME=$dir/home LC_ALL=C.UTF-8 TZ=UTC

at_end() {
    local code=$?
    if [ -n "$hub_pid" ]; then
        kill "$hub_pid" 2>/dev/null || true
        wait "$hub_pid" 2>/dev/null || true
    fi
    rm -rf "$dir"
    [ "$code" -eq 0 ] || [ "$code" -eq 77 ] || echo "FAILED after $checks checks" >&2
}
trap at_end EXIT

fail() {
    printf '%s\n' "$*" "stdout:" >&2
    cat "$dir/out" >&2
    echo "stderr:" >&2
    cat "$dir/err" >&2
    exit 1
}

# run CODE WORD...: the command must end with CODE; $dir/out and $dir/err have what it said.
run() {
    local code=$1 got=0
    shift
    "$folkmoot" "$@" >"$dir/out" 2>"$dir/err" </dev/null || got=$?
    checks=$((checks + 1))
    [ "$got" -eq "$code" ] || fail "folkmoot $* ended with $got, expected $code"
}

# says TEXT, complains TEXT: what was run said this on stdout, on stderr.
says() {
    checks=$((checks + 1))
    grep -qF -- "$1" "$dir/out" || fail "stdout lacks: $1"
}

complains() {
    checks=$((checks + 1))
    grep -qF -- "$1" "$dir/err" || fail "stderr lacks: $1"
}

says_not() {
    checks=$((checks + 1))
    if grep -qF -- "$1" "$dir/out"; then
        fail "stdout should not have: $1"
    fi
}

# json FILTER VALUE: jq's FILTER of what was said is VALUE.
json() {
    checks=$((checks + 1))
    local got
    got=$(jq -r "$1" "$dir/out") || fail "not JSON, or a wrong filter: $1"
    [ "$got" = "$2" ] || fail "$1 is \"$got\", expected \"$2\""
}

# --- the hub ---

need_hub() {
    if [ -z "$folkmootd" ] || [ ! -x "$folkmootd" ] || [ ! -x "$folkmootctl" ]; then
        echo "SKIPPED: folkmootd and folkmootctl are not built"
        exit 77
    fi
}

ctl() {
    "$folkmootctl" --socket "$dir/socket" --json "$@"
}

# hub_start NAME [LINES]: a hub with the state of that name, and these lines more in its configuration.
hub_start() {
    mkdir -p "$dir/$1"
    chmod 700 "$dir/$1"
    printf '[hub]\nstate_dir = %s\naddress = 127.0.0.1:%s\n[listen]\ntls = 127.0.0.1:%s\ncontrol = %s\n' \
        "$dir/$1" "$port" "$port" "$dir/socket" >"$dir/$1.conf"
    printf '%s' "${2:-}" >>"$dir/$1.conf"
    "$folkmootd" --config "$dir/$1.conf" >"$dir/$1.log" 2>&1 &
    hub_pid=$!
    local tries
    for ((tries = 0; tries < 300; tries++)); do
        if ctl status >/dev/null 2>&1; then
            return
        fi
        kill -0 "$hub_pid" 2>/dev/null || break
        sleep 0.1
    done
    echo "the hub did not start:" >&2
    cat "$dir/$1.log" >&2
    exit 1
}

hub_stop() {
    kill "$hub_pid"
    wait "$hub_pid" || { echo "the hub ended with $?" >&2; exit 1; }
    hub_pid=
}

# Founds a community once a test.
hub_found() {
    ctl community create 'Nettle Valley' >/dev/null
}

# link_of ROLE: a fresh invitation.
link_of() {
    ctl invite 'Nettle Valley' --role "$1" | jq -r .link
}

# use NAME: the device whose store the commands use from here on.
use() {
    export FOLKMOOT_STORE=$dir/stores/$1
}

# joined NAME...: devices that have joined; the last one is in use.
joined() {
    local name
    for name in "$@"; do
        use "$name"
        run 0 join "$(link_of volunteer)"
        run 0 sync
    done
}

# sync_all NAME...: until everybody knows everything.
sync_all() {
    local name
    for name in "$@" "$@"; do
        use "$name"
        run 0 sync
    done
}
