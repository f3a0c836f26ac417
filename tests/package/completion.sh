#!/usr/bin/env bash
# What the shells offer, of what the programs say of themselves.
#
#   tests/package/completion.sh FOLKMOOT FOLKMOOTCTL
#
# zsh and fish are tried where they are.
set -euo pipefail

folkmoot=$1
folkmootctl=$2
here=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

fail() {
    echo "completion: FAILED: $*"
    exit 1
}

make() {
    "$1" --completion | awk -v shell="$2" -f "$here/../../package/completion.awk" >"$scratch/$(basename "$1").$2"
}

# offered_by_bash PROGRAM WORD…: what stands behind the words, the last of which is being typed.
offered_by_bash() {
    COMP_WORDS=("$@")
    COMP_CWORD=$(($# - 1))
    COMPREPLY=()
    "_$1"
    printf '%s ' "${COMPREPLY[@]}"
}

# expect SHELL OFFERED WORD…: each word is offered.
expect() {
    local shell=$1 offered=" $2 " word
    shift 2
    for word in "$@"; do
        [[ $offered == *" $word "* ]] || fail "$shell does not offer $word, but:$offered"
    done
}

refuse() {
    [[ " $2 " != *" $3 "* ]] || fail "$1 offers $3"
}

try_bash() {
    # shellcheck disable=SC1091
    source "$scratch/folkmoot.bash"
    # shellcheck disable=SC1091
    source "$scratch/folkmootctl.bash"
    expect bash "$(offered_by_bash folkmoot "")" add sync help
    expect bash "$(offered_by_bash folkmoot --store /tmp s)" sync status show
    expect bash "$(offered_by_bash folkmoot add "")" need voice
    expect bash "$(offered_by_bash folkmoot add need --ti)" --title --time
    expect bash "$(offered_by_bash folkmoot invite --role "")" observer
    expect bash "$(offered_by_bash folkmoot voice need:1 "")" for against
    expect bash "$(offered_by_bash folkmoot list --)" --about --json
    refuse bash "$(offered_by_bash folkmoot list --)" --title
    refuse bash "$(offered_by_bash folkmoot --)" --completion
    expect bash "$(offered_by_bash folkmootctl "")" community rotate backup
    expect bash "$(offered_by_bash folkmootctl community "")" create list
    expect bash "$(offered_by_bash folkmootctl --json rotate t)" tokens tls
    expect bash "$(offered_by_bash folkmootctl invite Marshgate --)" --uses --socket
    refuse bash "$(offered_by_bash folkmootctl devices --)" --uses
}

try_fish() {
    local ask="complete -C"
    # shellcheck disable=SC2016
    fish_offers() {
        HOME=$scratch fish -N -c "source '$scratch/folkmoot.fish'; source '$scratch/folkmootctl.fish'; $ask '$1'" |
            cut -f 1 | tr '\n' ' '
    }
    expect fish "$(fish_offers 'folkmoot s')" sync status same
    expect fish "$(fish_offers 'folkmoot add ')" need voice
    expect fish "$(fish_offers 'folkmoot add need --ti')" --title --time
    expect fish "$(fish_offers 'folkmootctl community ')" create list
    expect fish "$(fish_offers 'folkmootctl invite --role ')" observer
}

# The functions of zsh's own, replaced by such that print.
try_zsh() {
    zsh_offers() {
        # shellcheck disable=SC2016
        zsh -f -c '
            _describe() { for item in "${(@P)2}"; do print -n -- "${item%%:*} "; done }
            compadd() { shift; print -n -- "$* "; }
            _files() { print -n -- "@file "; }
            _message() { :; }
            words=("${@:2}") CURRENT=$(($# - 1))
            source "$1"' zsh "$scratch/$1.zsh" "$@"
    }
    expect zsh "$(zsh_offers folkmoot "")" add sync
    expect zsh "$(zsh_offers folkmoot add "")" need voice
    expect zsh "$(zsh_offers folkmoot add need --)" --title --time
    expect zsh "$(zsh_offers folkmootctl community "")" create list
    expect zsh "$(zsh_offers folkmootctl backup "")" @file
    expect zsh "$(zsh_offers folkmootctl invite --role "")" observer
}

for shell in bash zsh fish; do
    make "$folkmoot" "$shell"
    make "$folkmootctl" "$shell"
    if command -v "$shell" >/dev/null; then
        "try_$shell"
        echo "completion: $shell offers what it should"
    else
        echo "completion: SKIPPED $shell, which is not here"
    fi
done
