#!/usr/bin/env bash
# Checks the models in this folder with spin, and each of them with faults that it must find.
set -euo pipefail
cd "$(dirname "$0")"

if ! command -v spin >/dev/null; then
    echo "models: SKIPPED, for there is no spin"
    exit 0
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# check MODEL WHAT [DEFINE]: WHAT is safety, or the name of an ltl formula. Prints what pan said.
check() {
    local model=$1 what=$2 define=${3:-}
    (
        cd "$scratch"
        spin -a ${define:+-D"$define"} "$OLDPWD/$model.pml" >/dev/null
        if [ "$what" = safety ]; then
            gcc -O2 -DSAFETY -DNOCLAIM -o pan pan.c
            ./pan -m1000000
        else
            gcc -O2 -DNFAIR=4 -o pan pan.c
            ./pan -a -f -m1000000 -N "$what"
        fi
    )
}

states() {
    sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' | head -1
}

holds() {
    local said
    said=$(check "$1" "$2")
    if ! grep -q 'errors: 0' <<<"$said" || grep -q 'max search depth too small' <<<"$said"; then
        printf '%s\n' "$said"
        echo "models: $1 ($2) does not hold"
        exit 1
    fi
    printf 'models: %-12s %-14s holds, %s states\n' "$1" "$2" "$(states <<<"$said")"
}

finds() {
    local said
    said=$(check "$1" "$2" "$3")
    if grep -q 'errors: 0' <<<"$said"; then
        echo "models: $1 ($2) does not see $3"
        exit 1
    fi
    printf 'models: %-12s %-14s sees %s\n' "$1" "$2" "$3"
}

holds commit safety
holds commit all_arrive
finds commit safety FAULT_ACK
finds commit safety FAULT_TWICE
finds commit safety FAULT_BATCH
holds invitation safety
holds invitation somebody_gets_in
finds invitation safety FAULT_LATE
finds invitation safety FAULT_WHOM
holds revocation safety
finds revocation safety FAULT_EARLY
finds revocation safety FAULT_OPEN
finds revocation safety FAULT_TOKEN
finds revocation safety FAULT_HOLD
