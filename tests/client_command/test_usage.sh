#!/usr/bin/env bash
# What the command says without any community: help, versions, and wrong command lines.
# shellcheck source=tests/client_command/lib.sh
source "$(dirname "$0")/lib.sh" "$@"

commands="join add edit resolve voice same undo list show import sync status fingerprint help"

run 0 --help
for command in $commands; do
    says "  $command"
done
says 'Exit codes: 0 done; 1 failed; 2'
says '--community ID|NAME'

for command in $commands; do
    run 0 help "$command"
    says "folkmoot $command"
    cp "$dir/out" "$dir/help"
    run 0 "$command" --help
    cmp -s "$dir/help" "$dir/out" || fail "help $command and $command --help differ"
done
run 0 help add
says '--urgency low|medium|high'
says '--led-by community|co_designed|agency|campaign'
says '--person CARD'
run 0 help edit
says '--remove FIELD=VALUE'
run 0 --version
says 'folkmoot '

run 2
complains 'folkmoot --help'
run 2 frobnicate
complains 'no command "frobnicate"'
run 2 help frobnicate
run 2 list --frobnicate
complains '--frobnicate'
run 2 list -x
run 2 list need remark
complains '"remark" is too much'
run 2 list --about
complains '--about needs a value'
run 2 list --json=yes
complains '--json takes no value'
run 2 show
complains 'folkmoot show REF'
run 2 --words x
complains 'before a command'
run 2 sync --words x
complains '--words'
run 1 join nonsense
complains 'link'
[ ! -s "$dir/out" ] || fail 'a failure has nothing on stdout'

# The store is made where the options and the environment say, with the folders above it.
run 0 status
says 'joined no community yet'
[ -d "$HOME/.local/share/folkmoot" ] || fail 'no store in ~/.local/share/folkmoot'
XDG_DATA_HOME=$dir/data run 0 status
[ -d "$dir/data/folkmoot" ] || fail 'no store in XDG_DATA_HOME'
FOLKMOOT_STORE=$dir/deep/er/store run 0 status --json
json '.communities | length' 0
[ -d "$dir/deep/er/store" ] || fail 'no store in FOLKMOOT_STORE'
run 0 --store "$dir/named" status
[ -d "$dir/named" ] || fail 'no store where --store said'
echo >"$dir/file"
run 1 --store "$dir/file/store" status

for command in list sync fingerprint 'show x' 'add need --words x' 'undo' 'import x.csv'; do
    # shellcheck disable=SC2086
    run 1 $command
    complains 'joined no community yet: use folkmoot join LINK'
done

if [ -w /dev/full ]; then
    code=0
    "$folkmoot" --help >/dev/full 2>"$dir/err" || code=$?
    [ "$code" -eq 1 ] || fail "a full disk was not noticed: $code"
    complains 'could not be written'
fi
echo "$checks checks"
