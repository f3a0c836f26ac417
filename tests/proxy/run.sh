#!/usr/bin/env bash
# A hub behind nginx or Caddy as docs/examples configures them, and the folkmoot command on the other
# side: joining, syncing, errors, renewed certificates, revoking.
#
#   tests/proxy/run.sh nginx|caddy FOLKMOOTD FOLKMOOTCTL FOLKMOOT
#
# Ends with 77 where it cannot run: without the proxy, or without a network of its own, for it takes
# the ports and the name that the examples have. With FOLKMOOT_PROXY_DIR set a proxy that is not
# installed is unpacked there from its Debian package: installing it would start its service.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
examples=$here/../../docs/examples
name=hub.example.org

skip() {
    echo "proxy: SKIPPED, $1"
    exit 77
}

fail() {
    echo "proxy: $proxy: FAILED: $1" >&2
    for log in "$dir"/*.log; do
        echo "--- $log" >&2
        tail -n 15 "$log" >&2
    done
    exit 1
}

unpack() {
    local kept=${FOLKMOOT_PROXY_DIR:?}/$proxy
    PATH=$kept/usr/sbin:$kept/usr/bin:$PATH
    if ! command -v "$proxy" >/dev/null; then
        mkdir -p "$kept"
        (cd "$kept" && timeout 120 apt-get download "$proxy" && dpkg -x "$proxy"_*.deb .) \
            >/dev/null 2>&1 || true
    fi
}

# --- what runs ---

pids=()
stop_all() {
    local pid
    for pid in "${pids[@]}"; do
        kill -TERM "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    rm -rf "$dir"
}

wait_for() {
    local try
    for try in $(seq 600); do
        if "$@" >/dev/null 2>&1; then
            return
        fi
        sleep 0.05
    done
    fail "it did not come true in time: $*"
}

ctl() {
    "$folkmootctl" --config "$dir/folkmootd.conf" --socket "$dir/control.sock" "$@"
}

hub_start() {
    "$folkmootd" --config "$dir/folkmootd.conf" 2>>"$dir/hub.log" &
    hub=$!
    pids+=("$hub")
    wait_for ctl status
}

make_certificate() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 90 \
        -subj "/CN=$name" -addext "subjectAltName=DNS:$name" \
        -keyout "$dir/privkey.pem" -out "$dir/fullchain.pem" 2>/dev/null
}

info() {
    curl -sk --max-time 20 -H 'Content-Type: application/proto' --data-binary '' "$@" \
        "https://$name/folkmoot.v1.InfoService/Info" -o /dev/null -w '%{http_version} %{http_code}\n'
}

# The examples, with the certificate where this test has it.
configure_proxy() {
    local no_six='/^$^/d'
    [ -e /proc/net/if_inet6 ] || no_six='/\[::\]/d'
    sed -e "s|/etc/folkmoot/proxy|$dir|" -e "$no_six" "$examples/nginx.conf" >"$dir/site.conf"
    sed "s|/etc/folkmoot/proxy|$dir|g" "$examples/Caddyfile" >"$dir/Caddyfile"
    cat >"$dir/nginx.conf" <<CONF
user root;
daemon off;
pid $dir/nginx.pid;
error_log $dir/nginx.log;
events {}
http {
    client_body_temp_path $dir/body;
    proxy_temp_path $dir/proxied;
    fastcgi_temp_path $dir/fast;
    uwsgi_temp_path $dir/uwsgi;
    scgi_temp_path $dir/scgi;
    access_log off;
    include $dir/site.conf;
}
CONF
}

proxy_start() {
    configure_proxy
    if [ "$proxy" = nginx ]; then
        nginx -c "$dir/nginx.conf" -e "$dir/nginx.log" &
    else
        HOME=$dir XDG_DATA_HOME=$dir XDG_CONFIG_HOME=$dir \
            caddy run --adapter caddyfile --config "$dir/Caddyfile" 2>"$dir/caddy.log" &
    fi
    proxy_pid=$!
    pids+=("$proxy_pid")
    wait_for info --fail
}

proxy_reload() {
    if [ "$proxy" = nginx ]; then
        kill -HUP "$proxy_pid"
    else
        HOME=$dir XDG_DATA_HOME=$dir XDG_CONFIG_HOME=$dir \
            caddy reload --force --adapter caddyfile --config "$dir/Caddyfile" 2>>"$dir/caddy.log"
    fi
}

proxy_shows_the_certificate() {
    local shown
    shown=$(openssl s_client -connect "$name:443" -servername "$name" </dev/null 2>/dev/null |
        openssl x509 -noout -fingerprint)
    [ "$shown" = "$(openssl x509 -in "$dir/fullchain.pem" -noout -fingerprint)" ]
}

# --- devices ---

link_for() {
    ctl --json invite "Marshgate ward" --label "$1" |
        sed -n 's/.*"link":[[:space:]]*"\([^"]*\)".*/\1/p'
}

device() {
    "$folkmoot" --store "$dir/$1" "${@:2}" >"$dir/said.log" 2>&1
}

# ends STATUS DEVICE WORDS...: the command ends so.
ends() {
    local code=0
    device "${@:2}" || code=$?
    [ "$code" -eq "$1" ] || fail "$2's ${*:3} ended with $code, not $1: $(cat "$dir/said.log")"
}

says() {
    grep -q "$1" "$dir/said.log" || fail "it does not say '$1': $(cat "$dir/said.log")"
}

one_finding() {
    ctl doctor >"$dir/said.log" || true
    says "$1"
}

# --- what must hold ---

devices_join_and_sync() {
    ends 0 amina join "$(link_for amina)"
    ends 0 tomas join "$(link_for tomas)"
    ends 0 amina add need --title "A ramp" --words "Two steps, and I am out." --language en \
        --category access
    ends 0 amina sync
    says 'sent 1,'
    ends 0 tomas sync
    ends 0 tomas show "A ramp"
    says 'Two steps'
}

a_long_run_and_a_long_answer_pass() {
    awk 'BEGIN {
        print "kind,key,title,words"
        for (i = 1; i <= 4000; i++)
            printf "need,k%d,Need %d,So many words: %.15f %.15f %.15f\n", i, i, rand(), rand(), rand()
    }' >"$dir/needs.csv"
    ends 0 amina import "$dir/needs.csv"
    ends 0 amina sync
    says 'sent 4000,'
    ends 0 tomas sync
    says 'received 4000,'
    ends 0 amina fingerprint
    cp "$dir/said.log" "$dir/mine"
    ends 0 tomas fingerprint
    cmp -s "$dir/mine" "$dir/said.log" || fail "two devices do not hold the same"
}

doctor_reaches_the_hub_by_its_name() {
    one_finding "address  *$name:443 answers, with the hub's key"
    one_finding 'certificate  *.*fullchain.pem holds for'
}

other_protocols_pass() {
    [ "$(info --http2)" = "2 200" ] || fail "HTTP/2: $(info --http2)"
    [ "$(info --http1.1)" = "1.1 200" ] || fail "HTTP/1.1: $(info --http1.1)"
    printf '\0\0\0\0\0' | curl -skv --http2 -H 'Content-Type: application/grpc' -H 'TE: trailers' \
        --data-binary @- "https://$name/folkmoot.v1.InfoService/Info" -o /dev/null 2>&1 |
        grep -qi 'grpc-status: 0' || fail "gRPC's trailers do not come through"
}

too_large_a_body_is_answered_by_the_hub() {
    head -c 1500000 /dev/zero | curl -sk --http2 -H 'Content-Type: application/proto' \
        --data-binary @- "https://$name/folkmoot.v1.EnrolService/Enrol" |
        grep -q '"resource_exhausted"' || fail "it was not the hub that refused the body"
}

a_hub_that_is_down_is_tried_again_later() {
    kill -TERM "$hub"
    wait "$hub"
    ends 3 amina sync
    hub_start
    ends 0 amina sync
}

a_certificate_with_another_key_needs_a_reload_of_the_hub() {
    make_certificate
    proxy_reload
    wait_for proxy_shows_the_certificate
    sleep 1 # until the last of the old workers accepts no more
    ends 4 amina sync
    says 'somebody stands between'
    kill -HUP "$hub"
    wait_for grep -q "the proxy's certificate was read anew" "$dir/hub.log"
    ends 0 amina sync
}

a_revoked_device_gets_nothing_and_others_go_on() {
    ctl revoke "Marshgate ward" tomas >/dev/null
    ends 4 tomas sync
    says 'was revoked'
    ends 0 amina sync
}

# Only nginx's example has it, for Caddy's own modules do not.
guessing_is_slowed_down_and_a_device_waits_its_turn() {
    [ "$proxy" = nginx ] || return 0
    local i
    for i in $(seq 50); do
        curl -sk -H 'Content-Type: application/proto' --data-binary '' -o /dev/null \
            "https://$name/folkmoot.v1.EnrolService/Enrol" -w '%{http_code}\n'
    done | sort | uniq -c >"$dir/said.log"
    says ' 400$'
    says ' 429$'
    ends 0 late join "$(link_for late)"
}

run() {
    local test
    for test in devices_join_and_sync a_long_run_and_a_long_answer_pass \
        doctor_reaches_the_hub_by_its_name other_protocols_pass \
        too_large_a_body_is_answered_by_the_hub a_hub_that_is_down_is_tried_again_later \
        a_certificate_with_another_key_needs_a_reload_of_the_hub \
        a_revoked_device_gets_nothing_and_others_go_on guessing_is_slowed_down_and_a_device_waits_its_turn; do
        "$test"
        echo "proxy: $proxy: $test"
    done
}

inside() {
    [ "$(ip -o link | wc -l)" -eq 1 ] || skip "there is no network of its own to be had"
    dir=$(mktemp -d)
    trap stop_all EXIT
    printf '127.0.0.1 localhost %s\n' "$name" >"$dir/hosts"
    mount --bind "$dir/hosts" /etc/hosts
    cat >"$dir/folkmootd.conf" <<CONF
[hub]
state_dir = $dir/state
address = $name:443
[listen]
tls =
plain = 127.0.0.1:8080
control = $dir/control.sock
[tls]
proxy_certificate = $dir/fullchain.pem
CONF
    make_certificate
    hub_start
    ctl community create "Marshgate ward" >/dev/null
    proxy_start
    run
}

if [ $# -ne 4 ] || { [ "$1" != nginx ] && [ "$1" != caddy ]; }; then
    sed -n '2,10s/^# \{0,1\}//p' "$0"
    exit 2
fi
proxy=$1 folkmootd=$2 folkmootctl=$3 folkmoot=$4
if [ "${FOLKMOOT_PROXY_INSIDE:-}" = yes ]; then
    inside
else
    PATH=$PATH:/usr/sbin
    command -v "$proxy" >/dev/null || [ -z "${FOLKMOOT_PROXY_DIR:-}" ] || unpack
    command -v "$proxy" >/dev/null || skip "there is no $proxy here (apt install $proxy)"
    FOLKMOOT_PROXY_INSIDE=yes exec "$here/../netns.sh" "$here/run.sh" "$@"
fi
