#!/usr/bin/env bash
# Other people's clients against a real hub: connect-node, grpc-js and buf curl, generated from
# proto/, and beside them a device of the folkmoot command.
#
#   tests/interop/run.sh
#
# FOLKMOOT_BIN_DIR: where folkmootd, folkmootctl and folkmoot are, at any depth; else they are built
# in build/release.
set -euo pipefail
cd "$(dirname "$0")"
root=$(cd ../.. && pwd)

skip() {
    echo "interop: SKIPPED, $1"
    exit 0
}

# The newest, for a build directory may hold older copies.
find_program() {
    local found
    found=$(find "$bin_dir" -name "$1" -type f -perm -u+x -printf '%T@ %p\n' | sort -rn | head -1)
    [ -n "$found" ] || { echo "interop: there is no $1 in $bin_dir" >&2; exit 1; }
    echo "${found#* }"
}

prepare_node() {
    command -v node >/dev/null || skip "there is no node"
    command -v npm >/dev/null || skip "there is no npm"
    local major
    major=$(node -p 'process.versions.node.split(".")[0]')
    [ "$major" -ge 20 ] || skip "it takes Node 20 or newer, this is $(node --version)"
    if [ ! -e node_modules/.package-lock.json ] ||
        [ package-lock.json -nt node_modules/.package-lock.json ]; then
        timeout 300 npm ci --no-audit --no-fund --no-progress --loglevel=error </dev/null ||
            skip "npm ci could not install its packages"
    fi
    rm -rf gen
    node_modules/.bin/buf generate --template buf.gen.yaml "$root"
}

prepare_programs() {
    if [ -z "${FOLKMOOT_BIN_DIR:-}" ]; then
        (cd "$root" && cmake --preset release >/dev/null &&
            cmake --build --preset release -j2 --target folkmootd folkmootctl folkmoot)
        FOLKMOOT_BIN_DIR=$root/build/release
    fi
    bin_dir=$FOLKMOOT_BIN_DIR
    hub=$(find_program folkmootd)
    FOLKMOOT_INTEROP_CTL=$(find_program folkmootctl)
    FOLKMOOT_INTEROP_COMMAND=$(find_program folkmoot)
    export hub FOLKMOOT_INTEROP_CTL FOLKMOOT_INTEROP_COMMAND
}

hub_pid=
stop() {
    local code=$?
    trap - EXIT
    if [ -n "$hub_pid" ]; then
        kill -TERM "$hub_pid" 2>/dev/null || true
        if ! wait "$hub_pid" || [ "$code" -ne 0 ]; then
            code=1
            echo "interop: what the hub said:" >&2
            tail -40 "$dir/hub.log" >&2
        fi
    fi
    rm -rf "$dir"
    exit "$code"
}

free_port() {
    node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => {
        console.log(s.address().port); s.close(); })'
}

start_hub() {
    dir=$(mktemp -d)
    trap stop EXIT
    mkdir -m 700 "$dir/state"
    FOLKMOOT_INTEROP_PORT=$(free_port)
    cat >"$dir/folkmootd.conf" <<EOF
[hub]
state_dir = $dir/state
address = 127.0.0.1:$FOLKMOOT_INTEROP_PORT
[listen]
tls = 127.0.0.1:$FOLKMOOT_INTEROP_PORT
control = $dir/control.sock
[limits]
enrol_attempts_per_minute = 100000
enrol_attempts_per_minute_per_address = 100000
EOF
    "$hub" --config "$dir/folkmootd.conf" >"$dir/hub.log" 2>&1 &
    hub_pid=$!
    export FOLKMOOT_INTEROP_DIR=$dir FOLKMOOT_INTEROP_PORT FOLKMOOT_INTEROP_SOCKET=$dir/control.sock
    export FOLKMOOT_INTEROP_COMMUNITY="Nettle Valley"
    local tries
    for tries in $(seq 200); do
        if "$FOLKMOOT_INTEROP_CTL" --socket "$FOLKMOOT_INTEROP_SOCKET" status >/dev/null 2>&1; then
            break
        fi
        kill -0 "$hub_pid" || exit 1
        sleep 0.05
    done
    "$FOLKMOOT_INTEROP_CTL" --socket "$FOLKMOOT_INTEROP_SOCKET" --json \
        community create "$FOLKMOOT_INTEROP_COMMUNITY" >/dev/null
}

if [ "${1:-}" = inside ]; then
    start_hub
    timeout 120 node --test --test-concurrency=1 --test-reporter=./reporter.mjs \
        --test-reporter-destination=stdout clients.test.mjs buf.test.mjs
else
    prepare_node
    prepare_programs
    exec "$root/tests/netns.sh" "$PWD/run.sh" inside
fi
