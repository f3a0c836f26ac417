#!/usr/bin/env bash
# The packages in a Debian 12 that really boots (systemd-nspawn): install, enrol, sync under load,
# reload, restart, a hang, an upgrade, remove and purge.
#
#   tests/package/run.sh            all of it
#   tests/package/run.sh --tree     only fetches the bare Debian, where it is not there
#
# Where that cannot be it says SKIPPED and why, and ends with 0. FOLKMOOT_MIRROR: Debian's mirror.
# FOLKMOOT_PACKAGE_TREE: where the bare Debian is kept (build/debian-12).
set -euo pipefail
cd "$(dirname "$0")/../.."

mirror=${FOLKMOOT_MIRROR:-http://deb.debian.org/debian}
tree=${FOLKMOOT_PACKAGE_TREE:-$PWD/build/debian-12}
debs=$PWD/build/package
machine=
leader=
checks=0

say() {
    echo "package: $*"
}

skip() {
    say "SKIPPED: $*"
    exit 0
}

fail() {
    say "FAILED: $*"
    if [ -n "$leader" ]; then
        inside journalctl --no-pager -n 40 -o short-monotonic -u 'folkmootd*' || true
        inside sh -c 'tail -n 5 /run/load/*.failed' 2>/dev/null || true
    fi
    exit 1
}

passed() {
    checks=$((checks + 1))
    say "ok: $*"
}

# Runs a command in the container, outside of the hub's unit.
inside() {
    nsenter -t "$leader" -a env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 "$@"
}

# until_true SECONDS COMMAND…
until_true() {
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.2
    done
}

# --- the container ---

at_end() {
    if [ -n "$machine" ] && kill -0 "$machine" 2>/dev/null; then
        kill -KILL "$leader" 2>/dev/null || true
        wait "$machine" 2>/dev/null || true
    fi
    rm -rf "$scratch"
}

can_run() {
    [ "$(id -u)" -eq 0 ] || skip "systemd-nspawn takes root"
    script/deps package || skip "what it takes cannot be installed here"
    command -v systemd-nspawn >/dev/null || skip "there is no systemd-nspawn (script/deps package)"
    command -v debootstrap >/dev/null || skip "there is no debootstrap (script/deps package)"
    unshare --mount --pid --fork --net true 2>/dev/null || skip "no namespaces may be made here"
}

make_tree() {
    [ -e "$tree/.bare" ] && return
    say "a bare Debian 12 from $mirror, kept in ${tree#"$PWD"/}"
    rm -rf "$tree"
    mkdir -p "$(dirname "$tree")"
    debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,init-system-helpers,ca-certificates \
        bookworm "$tree" "$mirror" >"$scratch/debootstrap" 2>&1 || {
        tail -n 3 "$scratch/debootstrap"
        rm -rf "$tree"
        skip "debootstrap could not make a Debian 12 from $mirror"
    }
    touch "$tree/.bare"
}

# What the packages depend on; the packages themselves come later, in the container that runs.
add_libraries() {
    local wanted
    wanted=$(for deb in "$debs"/folkmoot{,-hub}_*-1_*.deb; do dpkg-deb -f "$deb" Depends; done |
        tr '\n' ',' | sed 's/,$//')
    if [ "$(cat "$tree/.libraries" 2>/dev/null)" = "$wanted" ]; then
        return
    fi
    cp /etc/resolv.conf "$tree/etc/resolv.conf"
    {
        chroot "$tree" apt-get update
        DEBIAN_FRONTEND=noninteractive chroot "$tree" apt-get satisfy -y --no-install-recommends "$wanted"
    } >"$scratch/satisfy" 2>&1 </dev/null || {
        cat "$scratch/satisfy"
        fail "Debian 12 cannot satisfy what the packages depend on"
    }
    printf '%s\n' "$wanted" >"$tree/.libraries"
}

is_booted() {
    leader=$(tr ' ' '\n' <"/proc/$machine/task/$machine/children" | head -n 1)
    [ -n "$leader" ] && [[ $(inside systemctl is-system-running) =~ ^(running|degraded)$ ]]
}

boot() {
    systemd-nspawn --quiet --boot --directory="$tree" --volatile=overlay --private-network \
        --register=no --keep-unit --console=pipe --machine=folkmoot-package \
        --bind-ro="$debs:/mnt" </dev/null >"$scratch/boot" 2>&1 &
    machine=$!
    until_true 60 is_booted && return
    tail -n 5 "$scratch/boot"
    [ -n "$leader" ] || leader=$machine
    skip "systemd does not boot in a container here"
}

# --- the hub ---

# Of the hub, in the journal.
has_said() {
    inside journalctl --no-pager -u folkmootd >"$scratch/journal"
    grep -q "$1" "$scratch/journal"
}

hub_pid() {
    inside systemctl show -P MainPID folkmootd
}

is_up() {
    [ "$(inside systemctl is-active folkmootd)" = active ]
}

ctl() {
    inside folkmootctl "$@"
}

hub_key() {
    ctl --json status | sed -n 's/.*"hub_key":[[:space:]]*"\([0-9a-f]*\)".*/\1/p'
}

link_in() {
    sed -n 's/.*"link":[[:space:]]*"\([^"]*\)".*/\1/p'
}

link_for() {
    ctl --json invite "Marshgate ward" --label "$1" | link_in
}

phone() {
    local name=$1
    shift
    inside folkmoot --store "/root/$name" "$@"
}

# --- load: phones that write and sync without a pause, and somebody who only connects ---

write_load() {
    inside sh -c 'mkdir -p /run/load && cat >/root/load' <<'LOAD'
#!/bin/bash
# load NAME: until /run/load/stop is there
at=/run/load/$1
while [ ! -e /run/load/stop ]; do
    folkmoot --store "/root/$1" add need --title "Need $SECONDS $RANDOM of $1" --language en --person new \
        >"$at.said" 2>&1 && folkmoot --store "/root/$1" sync >"$at.said" 2>&1 ||
        { echo "exit $?"; cat "$at.said"; } >>"$at.failed"
    echo >>"$at.turns"
done
LOAD
    inside sh -c 'cat >/root/knock' <<'KNOCK'
#!/bin/bash
while [ ! -e /run/load/stop ]; do
    (exec 3<>/dev/tcp/127.0.0.1/8443) 2>/dev/null || echo refused >>/run/load/knock.failed
    echo >>/run/load/knock.turns
    sleep 0.02
done
KNOCK
}

load_begin() {
    local name
    inside sh -c 'rm -f /run/load/*'
    loads=()
    for name in amina tomas iris; do
        inside bash /root/load "$name" &
        loads+=($!)
    done
    inside bash /root/knock &
    loads+=($!)
    sleep 1
}

turns_of() {
    inside sh -c 'cat /run/load/*.turns 2>/dev/null | wc -l'
}

# load_end WHAT: nothing may have failed in the meantime.
load_end() {
    local turns
    sleep 1
    inside touch /run/load/stop
    wait "${loads[@]}"
    turns=$(inside sh -c 'cat /run/load/[ait]*.turns | wc -l')
    if inside sh -c 'ls /run/load/*.failed' >/dev/null 2>&1; then
        fail "$1: $(inside sh -c 'cat /run/load/*.failed | head -n 5')"
    fi
    passed "$1: $turns syncs and $(inside sh -c 'wc -l </run/load/knock.turns') connections, none failed"
}

all_hold_the_same() {
    local name print hub
    for name in amina tomas iris amina tomas iris; do
        phone "$name" sync >/dev/null || fail "$name cannot sync"
    done
    hub=$(ctl fingerprint "Marshgate ward" | grep -Eo '[0-9a-f]{16,}' | head -n 1)
    for name in amina tomas iris; do
        print=$(phone "$name" fingerprint | grep -Eo '[0-9a-f]{16,}' | head -n 1)
        [ -n "$print" ] && [ "$print" = "$hub" ] || fail "$name holds $print, the hub $hub"
    done
    passed "three phones and the hub hold the same"
}

# --- the test ---

build_packages() {
    script/package --release 2 >"$scratch/built" 2>&1 || { cat "$scratch/built" && fail "script/package"; }
    script/package >"$scratch/built" 2>&1 || { cat "$scratch/built" && fail "script/package"; }
    passed "packages are built"
}

lint() {
    local found
    if ! command -v lintian >/dev/null; then
        say "SKIPPED lintian, which is not here"
        return
    fi
    found=$(lintian --allow-root "$debs"/*-1_*.deb 2>"$scratch/lintian" | grep '^E:' || true)
    [ -z "$found" ] || fail "lintian: $found"
    passed "lintian finds no error"
}

# An app is built with nothing but what the two packages hold, statically and not, and runs.
build_an_app() {
    local pc way said
    dpkg-deb -x "$debs"/libfolkmoot0_*-1_*.deb "$scratch/dev"
    dpkg-deb -x "$debs"/libfolkmoot-dev_*-1_*.deb "$scratch/dev"
    pc=$(dirname "$(find "$scratch/dev" -name folkmoot.pc)")
    sed 's|"client/folkmoot.h"|<folkmoot.h>|' client/example.c >"$scratch/app.c"
    for way in "" --static; do
        # shellcheck disable=SC2046,SC2086
        cc -o "$scratch/app" "$scratch/app.c" $(PKG_CONFIG_PATH=$pc pkg-config \
            --define-variable=prefix="$scratch/dev/usr" --cflags --libs $way folkmoot |
            if [ -n "$way" ]; then sed 's/-lfolkmoot/-l:libfolkmoot.a/'; else cat; fi)
        [ -z "$way" ] || [[ $(readelf -d "$scratch/app") != *libfolkmoot.so* ]] || fail "not linked statically"
        mkdir -p "$scratch/store$way"
        said=$(LD_LIBRARY_PATH=$pc/.. "$scratch/app" "$scratch/store$way" 2>&1 || true)
        [[ $said == *"no community has been joined"* ]] || fail "an app that was built $way says: $said"
    done
    [ "$(nm -D --defined-only "$pc"/../libfolkmoot.so.0 | grep -cv ' folkmoot_')" -eq 0 ] ||
        fail "the shared library shows more than its header"
    passed "an app is built with libfolkmoot-dev, statically and not"
}

install_packages() {
    inside sh -c 'dpkg -i /mnt/folkmoot_*-1_*.deb /mnt/folkmoot-hub_*-1_*.deb' >"$scratch/installed" 2>&1 ||
        { cat "$scratch/installed" && fail "the packages do not install"; }
    until_true 20 is_up || fail "the hub does not run after it was installed"
    inside systemctl is-enabled folkmootd.service folkmootd.socket >/dev/null || fail "not enabled"
    [ "$(inside stat -c %U:%a /var/lib/folkmoot)" = folkmoot:700 ] || fail "/var/lib/folkmoot is open"
    has_said 'on 0.0.0.0:8443, which was passed' ||
        fail "the socket was not passed"
    passed "installed: enabled, runs, on the unit's socket"
}

units_are_right() {
    local said
    said=$(inside systemd-analyze verify --man=no folkmootd.service folkmootd.socket folkmootd@west.service 2>&1 || true)
    [ -z "$said" ] || fail "systemd-analyze verify: $said"
}

score() {
    units_are_right
    local score
    score=$(inside systemd-analyze security --no-pager folkmootd.service |
        sed -n 's/.*Overall exposure level for .*: \([0-9.]*\).*/\1/p')
    awk -v score="$score" 'BEGIN { exit !(score != "" && score <= 1.2) }' ||
        fail "systemd-analyze security says $score"
    passed "systemd-analyze security says $score"
}

configure() {
    inside sed -i 's/^#address = .*/address = 127.0.0.1:8443/' /etc/folkmoot/folkmootd.conf
    inside sh -c 'mkdir -p /run/systemd/system/folkmootd.service.d &&
        printf "[Service]\nWatchdogSec=4\nTimeoutAbortSec=2\n" >/run/systemd/system/folkmootd.service.d/test.conf &&
        systemctl daemon-reload'
    inside systemctl reload folkmootd
    ctl community create "Marshgate ward" >/dev/null
    until_true 5 ctl invite "Marshgate ward" || fail "no invitation after the address was configured and reloaded"
    local name link
    for name in amina tomas iris; do
        link=$(link_for "$name")
        phone "$name" join "$link" >/dev/null || fail "$name cannot join"
    done
    until_true 5 sh -c "nsenter -t $leader -a systemctl show -P StatusText folkmootd | grep -q connections" ||
        fail "no status"
    passed "reloaded with an address; three phones enrolled over TLS"
}

reload_under_load() {
    local before
    before=$(hub_pid)
    load_begin
    for _ in 1 2 3; do
        inside systemctl reload folkmootd
        sleep 0.5
    done
    load_end "reload three times"
    [ "$(hub_pid)" = "$before" ] || fail "another process after a reload"
}

restart_under_load() {
    local before
    before=$(hub_pid)
    load_begin
    for _ in 1 2 3; do
        inside systemctl restart folkmootd
        sleep 1
    done
    load_end "restart three times"
    [ "$(hub_pid)" != "$before" ] || fail "the same process after a restart"
}

other_process() {
    is_up && [ "$(hub_pid)" != "$1" ]
}

hang() {
    local before
    before=$(hub_pid)
    sleep 5 # longer than the interval: while it is well nothing happens
    [ "$(hub_pid)" = "$before" ] || fail "a hub that is well was killed by the watchdog"
    inside sh -c "kill -STOP $before"
    until_true 20 other_process "$before" || fail "the watchdog did not bring a stopped hub back"
    has_said 'Watchdog timeout' || fail "it was not the watchdog"
    phone amina sync >/dev/null || fail "no sync after the watchdog"
    passed "SIGSTOP: the watchdog brings the hub back, and it serves"
}

credential() {
    local before
    before=$(hub_key)
    inside sh -c 'mkdir -p /etc/credstore.encrypted && systemd-creds --with-key=host encrypt \
        --name=identity.key /var/lib/folkmoot/identity.key \
        /etc/credstore.encrypted/folkmootd.identity.key && rm /var/lib/folkmoot/identity.key' \
        >"$scratch/creds" 2>&1 || { cat "$scratch/creds" && fail "systemd-creds"; }
    inside systemctl restart folkmootd || fail "the hub does not start with its key as a credential"
    [ -n "$before" ] && [ "$(hub_key)" = "$before" ] || fail "another identity than before"
    inside test ! -e /var/lib/folkmoot/identity.key || fail "a key was made"
    passed "the identity key as an encrypted credential"
}

# As the administrator does it, as root.
restore() {
    ctl backup /root/backup >/dev/null || fail "no backup while the hub runs"
    inside systemctl stop folkmootd.socket folkmootd
    ctl restore /root/backup >"$scratch/restored" 2>&1 || { cat "$scratch/restored" && fail "restore"; }
    inside systemctl start folkmootd.socket folkmootd || fail "the restored hub does not start"
    phone amina sync >/dev/null || fail "no sync with the restored hub"
    ctl verify >"$scratch/verified" 2>&1 || { cat "$scratch/verified" && fail "verify"; }
    passed "backup, restore and verify as root; the hub starts on what was restored"
}

wrong_configuration() {
    inside sh -c 'cp /etc/folkmoot/folkmootd.conf /root/conf && echo nonsense >>/etc/folkmoot/folkmootd.conf'
    inside systemctl restart folkmootd 2>/dev/null && fail "started with a wrong configuration"
    sleep 3
    [ "$(inside systemctl show -P NRestarts -P ExecMainStatus folkmootd | tr '\n' ' ')" = "0 78 " ] ||
        fail "$(inside systemctl show -p ExecMainStatus -p NRestarts folkmootd)"
    # Devices that knock have it tried again, but not for ever.
    inside bash -c 'for i in $(seq 30); do (exec 3<>/dev/tcp/127.0.0.1/8443) 2>/dev/null; sleep 0.1; done'
    until_true 20 sh -c "[ \"\$(nsenter -t $leader -a systemctl is-active folkmootd.socket)\" = failed ]" ||
        fail "it is started for ever"
    inside cp /root/conf /etc/folkmoot/folkmootd.conf
    inside systemctl reset-failed folkmootd.socket folkmootd
    inside systemctl restart folkmootd.socket folkmootd || fail "does not start with a right configuration"
    passed "a wrong configuration: exit status 78, no restart, and no start for ever"
}

# By the template, on a port that takes privilege to open, which only the socket's unit has.
second_hub() {
    inside sh -c 'printf "[hub]\nstate_dir = /var/lib/folkmoot/west\naddress = 127.0.0.1:443\n[listen]\ncontrol = /run/folkmoot/west/control.sock\n" >/etc/folkmoot/west.conf'
    inside sh -c 'mkdir -p /run/systemd/system/folkmootd@west.socket.d && printf "[Socket]\nListenStream=127.0.0.1:443\n" \
        >/run/systemd/system/folkmootd@west.socket.d/test.conf && systemctl daemon-reload'
    inside systemctl enable --now folkmootd@west.socket folkmootd@west.service 2>/dev/null ||
        fail "the second hub does not start"
    ctl --config /etc/folkmoot/west.conf community create "Eastfield ward" >/dev/null ||
        fail "the second hub does not answer"
    local link
    link=$(ctl --config /etc/folkmoot/west.conf --json invite "Eastfield ward" | link_in)
    phone noor join "$link" >/dev/null || fail "nobody can join the second hub"
    is_up || fail "the first hub went"
    passed "a second hub, by the template, on port 443"
}

upgrade_under_load() {
    local before
    before=$(hub_pid)
    load_begin
    inside sh -c 'dpkg -i /mnt/folkmoot-hub_*-2_*.deb' >"$scratch/upgraded" 2>&1 ||
        { cat "$scratch/upgraded" && fail "the upgrade"; }
    load_end "upgrade"
    is_up && [ "$(hub_pid)" != "$before" ] || fail "the upgraded hub does not run"
    [[ $(inside dpkg-query -W -f '${Version}' folkmoot-hub) == *-2 ]] || fail "not upgraded"
    [ "$(inside systemctl is-active folkmootd@west)" = active ] || fail "the second hub does not run"
}

is_free() {
    ! inside bash -c '(exec 3<>/dev/tcp/127.0.0.1/8443)' 2>/dev/null
}

remove_and_purge() {
    inside dpkg -r folkmoot-hub >"$scratch/removed" 2>&1 || { cat "$scratch/removed" && fail "remove"; }
    inside test -s /var/lib/folkmoot/db/data.mdb -o -s /var/lib/folkmoot/db || fail "remove destroyed data"
    is_free || fail "somebody listens after remove"
    inside sh -c 'cat /proc/[0-9]*/comm | grep -x folkmootd >/dev/null' && fail "a hub runs after remove"
    grep -q 'until you purge' "$scratch/removed" || fail "remove does not say that data stays"
    inside sh -c 'dpkg -i /mnt/folkmoot-hub_*-2_*.deb' >/dev/null 2>&1 && until_true 20 is_up ||
        fail "the hub does not come back"
    phone amina sync >/dev/null || fail "no sync after remove and install"
    inside dpkg -P folkmoot-hub >"$scratch/purged" 2>&1 || { cat "$scratch/purged" && fail "purge"; }
    grep -q 'destroying all' "$scratch/purged" || fail "purge does not say what it destroys"
    local left
    left=$(inside find / -xdev \( -path /proc -o -path /sys -o -path /mnt -o -path /root -o -path /run/systemd -o \
        -path /run/log -o -path /var/log -o -path '*/folkmoot' -o -path '/var/lib/dpkg/info/folkmoot.*' \) -prune -o \
        -name '*folkmoot*' ! -path '/usr/share/*/*folkmoot' ! -path '/usr/share/*/folkmoot.*' -print)
    # What the administrator of this test wrote.
    [ "$left" = /etc/credstore.encrypted/folkmootd.identity.key ] || fail "purge left $left"
    [ "$(inside ls /etc/folkmoot)" = west.conf ] || fail "purge left $(inside ls /etc/folkmoot)"
    inside test ! -e /var/lib/folkmoot || fail "purge left data"
    passed "remove keeps the data, purge destroys it, and both say so"
}

main() {
    scratch=$(mktemp -d)
    trap at_end EXIT
    can_run
    if [ "${1:-}" = --tree ]; then
        make_tree
        return
    fi
    build_packages
    lint
    build_an_app
    make_tree
    add_libraries
    boot
    write_load
    install_packages
    score
    configure
    reload_under_load
    restart_under_load
    all_hold_the_same
    hang
    restore
    all_hold_the_same
    credential
    wrong_configuration
    second_hub
    upgrade_under_load
    all_hold_the_same
    remove_and_purge
    say "$checks passed in $SECONDS s"
}

main "$@"
