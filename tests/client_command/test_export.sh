#!/usr/bin/env bash
# What an admin exports of a community that has every kind, tensions, joined needs, erased words and
# texts that are hard to write, read back by readers that are not ours, and compared with golden files.
# shellcheck source=tests/client_command/lib.sh
source "$(dirname "$0")/lib.sh" "$@"
need_hub
here=$(cd "$(dirname "$0")" && pwd)
hub_start hub
hub_found
joined amina tomas
use amina

at=2026-03-04T10:00:00Z
say() {
    run 0 add "$@" --time "$at"
}

# --- what is said ---

say party --title 'The Moor Fund' --party-kind funder --register-id GB-CHC-1000001 --audience public
say party --title 'Moor End Kitchen' --party-kind frontline --audience public
say party --title 'Nameless number' --audience community
say need --title 'A crossing' --words 'Cars, "fast" ones,
come at us' --place 'The gate|E05000001|51.5000001,-0.125' --category transport --category 'a | b' \
    --affected 'children; elders' --strengths 'we can count cars' --urgency high --audience public \
    --person new --consent 'CONSENTWORDING|3'
say need --title 'معبر آمن' --words $'=HYPERLINK("http://x")' --language ar --place 'The gate' --audience organisations
say need --title '+44 is a formula' --words "'=2+2" --category '@home'
say need --title 'Clean water' --words $'-1\ttab' --place 'The well||-33.9,18.4' --sensitivity sensitive --audience public
say need --title 'Water that is clean' --audience community
say need --title 'To be erased' --words 'SECRETWORDS never to be seen again'
say constraint --about 'A crossing' --title 'No money' --nature financial --whose 'the council' --party 'The Moor Fund'
say solution --about 'A crossing' --title 'Zebra stripes' --led-by co_designed --cost-low 1000 --cost-high 1500.50 --currency GBP
say commitment --about 'A crossing' --about 'Moor End Kitchen' --title 'Paint' --words 'We pay for the paint.' \
    --party 'The Moor Fund' --amount 1200.50 --currency GBP --due 2026-09-01 --state promised --audience public
say commitment --about 'A crossing' --title 'Nobody gets it' --words 'We pay.' --party 'The Moor Fund' --amount 10 --currency GBP
say commitment --title 'No words' --about 'Moor End Kitchen' --party 'The Moor Fund' --amount 10 --currency GBP
say commitment --title 'No amount' --words 'Time' --about 'Moor End Kitchen' --party 'The Moor Fund' --currency GBP
say outcome --about 'Paint' --title 'Painted' --result partly --happened 2026-10-01
say remark --about 'A crossing' --words 'as one line'
say person --party-kind community --age-band 30-39
say contact --name 'Bente PERSONALNAME' --telephone +4799PERSONAL --words 'about SECRETPERSON'
run 0 show 'A crossing' --json
speaker=$(jq -r "[.fields[] | select(.name == \"speaker\")][0].values[0].text" "$dir/out")
[[ $speaker =~ ^[0-9a-f]{32}$ ]] || fail "no speaker"
say remark --about "person:$speaker" --about 'A crossing' --words 'of somebody, too'
run 0 sync
use tomas
run 0 sync
run 0 edit 'A crossing' --title 'A safe crossing' --urgency medium --category safety
use amina
run 0 edit 'A crossing' --title 'A crossing | now' --category safety
for stance in for for for for for for against; do
    run 0 voice 'A crossing | now' $stance --person new --words "spoken $stance" --time "$at"
done
run 0 voice 'Clean water' for --person new --time "$at"
run 0 voice 'Water that is clean' unsure --person new --time "$at"
run 0 same 'Clean water' 'Water that is clean'
run 0 erase 'To be erased' --yes
sync_all amina tomas amina

# --- exporting, while the hub runs ---

# export CODE FORM FILE [OPTION...]
export_as() {
    local code=$1 form=$2 file=$3 got=0
    shift 3
    "$folkmootctl" --config "$dir/hub.conf" export 'Nettle Valley' "$file" --as "$form" "$@" \
        >"$dir/out" 2>"$dir/err" || got=$?
    checks=$((checks + 1))
    [ "$got" -eq "$code" ] || fail "export --as $form $* ended with $got, expected $code"
}

mkdir "$dir/x"
export_as 0 jsonl "$dir/x/all.jsonl"
export_as 0 jsonl "$dir/x/outside.jsonl" --audience organisations
says 'more are not for this audience'
export_as 0 jsonl "$dir/x/public.jsonl" --audience public
for kind in need voice constraint solution commitment outcome remark party same_as; do
    export_as 0 csv "$dir/x/$kind.csv" --kind "$kind"
done
export_as 0 csv "$dir/x/hxl.csv" --hxl
export_as 0 csv "$dir/x/outside.csv" --audience organisations
export_as 0 geojson "$dir/x/all.geojson"
complains 'left out: '
export_as 0 360giving "$dir/x/grants.json" --prefix 360G-moor
complains 'left out: 3'
complains 'no words that describe it'
complains 'not about a party with a title, who gets it'
complains 'no amount'
export_as 0 360giving "$dir/x/outside.json" --audience public
export_as 0 sqlite "$dir/x/all.sqlite"
export_as 0 csv - --kind need
cmp "$dir/out" "$dir/x/need.csv" || fail 'standard output and file differ'
complains 'exported as csv: '

# --- what does not fit together says so, and writes nothing ---

# refuses TEXT FORM FILE [OPTION...]
refuses() {
    local text=$1
    shift
    export_as 1 "$@"
    complains "$text"
    [ ! -e "$dir/x/none" ] && [ ! -e "$dir/x/none.new" ] || fail 'a file was left'
}
refuses 'is personal' csv "$dir/x/none" --kind contact
refuses 'is personal' jsonl "$dir/x/none" --kind person
refuses 'audit' csv "$dir/x/none" --kind decision
refuses 'no kind' csv "$dir/x/none" --kind wish
refuses '--as is one of csv, jsonl, geojson, 360giving, sqlite' xls "$dir/x/none"
refuses 'sqlite needs a file' sqlite -
refuses 'commitments only' 360giving "$dir/x/none" --kind need
refuses '--hxl is for csv' jsonl "$dir/x/none" --hxl
refuses '--audience is' csv "$dir/x/none" --audience all
refuses 'such as 360G' 360giving "$dir/x/none" --prefix 'a b'
got=0
"$folkmootctl" --config "$dir/hub.conf" export 'Nettle Valley' "$dir/x/none" --kind need 2>"$dir/err" || got=$?
[ "$got" -eq 2 ] && [ ! -e "$dir/x/none" ] || fail '--kind without --as is no backup'

# --- nothing personal, nothing erased, in any of them ---

for word in PERSONALNAME PERSONAL SECRETPERSON SECRETWORDS CONSENTWORDING "$speaker"; do
    checks=$((checks + 1))
    if grep -rlF -- "$word" "$dir/x" >"$dir/out"; then
        fail "$word was exported"
    fi
done

# --- the same again is the same ---

export_as 0 jsonl "$dir/x/outside2.jsonl" --audience organisations
cmp "$dir/x/outside.jsonl" "$dir/x/outside2.jsonl" || fail 'ids do not hold'

# --- other readers ---

python3 "$here/export_read.py" "$dir/x" "$here/export" || fail 'another reader found a fault'
if [ -n "$(command -v jq)" ]; then
    cp "$dir/x/all.geojson" "$dir/out"
    json '.features | length' 2
    json '[.features[].geometry.coordinates[0]] | sort | join(" ")' '-0.125 18.4'
    cp "$dir/x/grants.json" "$dir/out"
    json '.grants | length' 1
fi
echo "$checks checks"
