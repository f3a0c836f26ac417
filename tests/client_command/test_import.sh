#!/usr/bin/env bash
# Tables of records: the samples, importing again, what is refused, and what is left out.
# shellcheck source=tests/client_command/lib.sh
source "$(dirname "$0")/lib.sh" "$@"
need_hub
hub_start hub
hub_found
joined amina tomas

counts() {
    json '"\(.added) \(.voices) \(.edited) \(.unchanged)"' "$1"
}

# --- the samples ---

use amina
run 0 import "$samples/first-visit.csv" --time 2025-09-01 --json
counts '8 4 0 0'
run 0 import "$samples/first-visit.csv" --json
counts '0 0 0 12'
run 0 sync
use tomas
run 0 sync
run 0 import "$samples/tomas.csv" --time 2025-10-10
use amina
run 0 import "$samples/amina.csv" --time 2025-10-01
sync_all amina tomas
for name in amina tomas; do
    use "$name"
    run 0 list --json
    jq -S .records "$dir/out" >"$dir/$name.json"
    run 0 fingerprint
    cp "$dir/out" "$dir/$name.print"
    run 0 show 'A crossing outside Marshgate School'
    # One person spoke to both, and another changed their mind from against to for.
    says 'Voices: 11 for, 3 against, 2 unsure'
done
cmp "$dir/amina.json" "$dir/tomas.json" || fail 'the two devices differ'
cmp "$dir/amina.print" "$dir/tomas.print" || fail 'their fingerprints differ'
use amina
run 0 show a-k2 --json
json '.fields[] | select(.name == "amount").values[0].text' 1800
json '.about[0].kind' solution
run 0 show 'A roof over the food queue'
says '"sorry"'

# --- importing again ---

cd "$dir"
printf 'key,kind,title,words,category,cost_low\n' >head.csv
{ cat head.csv; printf 'k1,need,One,First words,a;b,\nk2,solution,Two,Words,,800\n'; } >one.csv
run 0 import one.csv --json
counts '2 0 0 0'
sync_all amina tomas
use tomas
run 0 edit One --words 'The words of Tomas'
sync_all tomas amina
run 0 import one.csv --json
counts '0 0 0 2'
{ cat head.csv; printf 'k1,need,One more,First words,a;c,\nk2,solution,Two,Words,,800.00\n'; } >one.csv
run 0 import one.csv --json
json .added 0
run 0 show k1 --json
json .title 'One more'
json '.fields[] | select(.name == "words").values[0].text' 'The words of Tomas'
json '.tensions | length' 0
json '[.fields[] | select(.name == "category").values[].text] | sort | join(" ")' 'a c'
{ cat head.csv; printf 'k1,need,One,First words,a;c,\n'; } >one.csv
run 0 import one.csv
run 0 show k1 --json
json .title One

printf 'kind,about,words\nremark,k1,yes\nremark,k1,yes\n' >twins.csv
run 0 import twins.csv --json
counts '2 0 0 0'
run 0 import twins.csv --json
counts '0 0 0 2'

card=XXFRMZ5KB77Q5YJG6KBGK5KBV1
printf 'key,kind,about,person,stance\nv1,voice,k1,%s,for\n' "$card" >voice.csv
run 0 import voice.csv
run 0 voice k1 against --person "$card"
run 0 import voice.csv --json
counts '0 0 0 1'
run 0 show k1
says 'Voices: 0 for, 1 against, 0 unsure'

# --- forms of tables ---

printf '\xef\xbb\xbfname,kind,about,Was-said,when\r\nlate,remark,early,hey,2026-01-02\r\n\r\nearly,need,,"two\r\nlines, and ""quotes""",\r\n' >crlf.csv
run 0 import crlf.csv --map 'name=key,Was-said=words,when=time' --json
counts '2 0 0 0'
run 0 show early --json
json '.fields[] | select(.name == "words").values[0].text' $'two\nlines, and "quotes"'
run 0 show late --json
json '.fields[] | select(.name == "words").values[0].time' 2026-01-02T00:00:00.000Z
printf 'words,mood\nBare words,grim\n' >bare.csv
run 1 import bare.csv --kind need
complains 'bare.csv:1'
complains '"mood"'
run 0 import bare.csv --kind need --ignore-columns
run 1 import bare.csv --ignore-columns
complains 'bare.csv:2'
complains 'no kind'

# --- nothing half done ---

run 0 list --json
jq .records "$dir/out" >before
refuse() { # TEXT LINE SENTENCE
    printf '%b' "$1" >bad.csv
    run 1 import bad.csv --strict
    complains "bad.csv:$2"
    complains "$3"
    run 0 list --json
    jq .records "$dir/out" | cmp -s before || fail 'something was imported'
}
good='key,kind,about,words,urgency\ng1,need,,fine,low\n'
refuse "${good}g2,need,,\"two\nlines\",\ng3,need,,x,soon\n" 5 'low, medium, high'
refuse "${good}g2,need,,\"open\n" 3 'quotation mark'
refuse "${good}g2,need,,mid \"dle,\n" 3 'quotation mark'
refuse "${good}g2,need,,x\n" 3 '4 cells'
refuse "${good}g2,need,,x,low,more\n" 3 '6 cells'
refuse "${good}g1,need,,x,\n" 3 'line 2'
refuse "${good}g2,remark,nowhere,x,\n" 3 'nowhere'
refuse "${good}g2,remark,g3,x,\ng3,remark,g2,x,\n" 3 'refers back'
refuse "${good}g2,party,,x,low\n" 3 'urgency'
refuse "${good}g2,voice,g1,x,\n" 3 'stance'
refuse "${good}k2,need,,x,\n" 3 'already names a solution'
refuse 'key,key,kind\n' 1 'two columns'
printf '' >bad.csv
run 1 import bad.csv
complains 'empty'
run 1 import nothing.csv
complains 'nothing.csv'
run 2 import one.csv --map nothing=words
complains '"nothing"'
echo "$checks checks"
