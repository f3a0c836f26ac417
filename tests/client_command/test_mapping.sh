#!/usr/bin/env bash
# Tables as councils have them, with a mapping: charsets, forms of values, newer tables, what people
# said in the meantime, missing rows, wrong rows, trials, and mappings that are wrong themselves.
# shellcheck source=tests/client_command/lib.sh
source "$(dirname "$0")/lib.sh" "$@"
need_hub
hub_start hub
hub_found
joined amina tomas
use amina
cd "$dir"

field() { # RECORD FIELD VALUES: its live values, sorted.
    run 0 show "$1" --json
    json "[.fields[] | select(.name == \"$2\").values[].text] | sort | join(\"+\")" "$3"
}

# --- one table, as a council's spreadsheet writes it ---

cat >council.map <<'MAP'
# What the council's list says.
[table]
source = council
complete = yes
dates = day/month/year
area = 51.2,-0.6,51.7,0.4

[commitment]
key = c {Ref No}
title = {Scheme}
words = {Details}\nWard: {Ward}
amount = {Budget}
currency = GBP
state = {Status -> state}
due = {Finish by}
party = p {Officer}
place = {Ward}
place_point = {Lat},{Lon}
time = {Agreed}

[party]
once = yes
key = p {Officer}
title = {Officer}

[need]
only if = {Needed|}
key = n {Ref No}
title = {Needed|}
place_point = {Lat},{Lon}
voter = {Ref No}

[values state]
Agreed = promised
On site = started
MAP
table() { # FILE LINE...
    local file=$1
    shift
    printf '%b\r\n' 'Ref No;Scheme;Details;Budget;Status;Finish by;Agreed;Officer;Ward;Lat;Lon;Needed' "$@" >"$file"
}
one='1;Ramp;A ramp at the caf\xe9;\xa31,200.50;Agreed;3/12/2026;27/11/2025;Jo;Mill;51.5;-0.1;Level access'
two='2;Kerbs;Drop \x93them\x94;9999.999999;On site;31.12.2026;27/11/2025 2:05 PM;Jo;Mill;-0.1;51.5;Kerbs'
three='3;Lights;;500;Agreed;;;Al;Weir;123,4;;Light'
table council.csv "$one" "$two" "$three"

run 0 import council.csv --mapping council.map --dry-run --json
json '"\(.added) \(.trial) \(.odd_pins)"' '8 true 4'
run 0 list --json
json '.records | length' 0
run 0 import council.csv --mapping council.map --json
json '"\(.added) \(.rows.new) \(.odd_pins) \(.left_out)"' '8 3 4 0'
json '.kinds | to_entries | map("\(.key) \(.value.added)") | join(" ")' 'need 3 commitment 3 party 2'
complains 'windows-1252'
field 'c 1' words $'A ramp at the café\nWard: Mill'
field 'c 2' words $'Drop “them”\nWard: Mill'
field 'c 1' amount 1200.50
field 'c 2' amount 10000
field 'c 1' due 2026-12-03
field 'c 2' state started
field 'c 2' place 'Mill||-0.1,51.5'
field 'c 3' place 'Weir, 123,4,'
field 'n 1' category ''
field 'n 2' category 'pin to check'
run 0 show 'c 2' --json
json '.fields[] | select(.name == "title").values[0].time' 2025-11-27T14:05:00.000Z
run 0 import council.csv --mapping council.map --json
json '"\(.added) \(.edited) \(.unchanged) \(.rows.unchanged)"' '0 0 8 3'

# --- a newer one, after people have spoken ---

sync_all amina tomas
use tomas
run 0 list commitment --json
id=$(jq -r '.records[] | select(.title == "Ramp").id' "$dir/out")
run 0 edit "$id" --title 'A ramp and a rail'
sync_all tomas amina
use amina
run 0 edit 'c 2' --words 'My own words, by hand'
# Its row changes elsewhere: what Tomas and this device's hand said stays.
table council.csv "${one/Agreed;3/On site;3}" "${two/9999.999999/12000}" "$three"
run 0 import council.csv --mapping council.map --json
json '"\(.added) \(.edited) \(.rows.changed)"' '0 2 2'
field 'c 1' title 'A ramp and a rail'
field 'c 1' state started
field 'c 2' words 'My own words, by hand'
field 'c 2' amount 12000
# The very values change: both stand, for people to settle.
one=${one/Agreed;3/On site;3}
two=${two/9999.999999/12000}
table council.csv "${one/Ramp/Wide ramp}" "${two/Drop/Lower}" "$three"
run 0 import council.csv --mapping council.map --json
json '"\(.added) \(.edited)"' '0 2'
field 'c 1' title 'A ramp and a rail+Wide ramp'
run 0 show 'c 1' --json
json '.tensions | length' 1
field 'c 2' words $'Lower “them”\nWard: Mill+My own words, by hand'
# The old value again: the import said it before, and Tomas has gone over that.
table council.csv "$one" "$two" "$three"
run 0 import council.csv --mapping council.map
field 'c 1' title 'A ramp and a rail'
run 0 show 'c 1' --json
json '.tensions | length' 0

# --- rows that are missing, and come back ---

table council.csv "$one"
run 0 import council.csv --mapping council.map --json
json '"\(.gone) \(.still_missing) \(.withdrawn)"' '2 0 0'
complains 'missing from the table: commitment'
run 0 import council.csv --mapping council.map --json
json '"\(.gone) \(.still_missing) \(.withdrawn)"' '0 2 0'
field 'c 3' amount 500
run 0 import council.csv --mapping council.map --withdraw-gone --json
json '"\(.still_missing) \(.withdrawn)"' '2 2'
run 0 list commitment --json
json '.records | length' 1
run 0 import council.csv --mapping council.map --json
json '"\(.gone) \(.still_missing)"' '0 0'
table council.csv "$one" "${three/500/600}"
run 0 import council.csv --mapping council.map --json
json '"\(.added) \(.rows.new) \(.rows.back)"' '0 0 1'
field 'c 3' amount 600
field 'c 3' title Lights

# --- wrong rows ---

before() {
    run 0 list --json
    jq -S .records "$dir/out" >before
}
before
table bad.csv "$one" '4;Bins;x;a lot;Agreed;;;Jo;;;;' '5;Benches;x;5;Maybe;;;Jo;;;;' ';No key;x;5;Agreed;;;Jo;;;;' \
    '6;Trees;x;5;Agreed;soon;;Jo;;;;' '7;Swings;x;5;Agreed;;;Jo;;;;'
run 1 import bad.csv --mapping council.map --strict
complains 'nothing was imported'
run 0 list --json
jq -S .records "$dir/out" | cmp -s before || fail 'strict, and something was imported'
run 1 import bad.csv --mapping council.map --json
json '"\(.added) \(.left_out)"' '1 4'
complains 'bad.csv:3: amount: must be an amount such as 1200 or 1200.50 (column "Budget")'
complains 'bad.csv:4: column "Status" says "Maybe", which [values state] of the mapping does not know'
complains 'bad.csv:5: key: the row has none (column "Ref No")'
complains 'bad.csv:6: due: must be a day such as 2026-11-23 (column "Finish by")'
field 'c 7' title Swings

# --- two that are one, and what may wait ---

cat >years.map <<'MAP'
[need]
key = y {no}
title = {t}
[same_as]
only if = {was}
may wait = yes
about = y {no};y {was}
MAP
printf 'no,t,was\n2,Later,1\n' >later.csv
printf 'no,t,was\n1,Earlier,\n' >earlier.csv
run 0 import later.csv --mapping years.map --json
json '"\(.added) \(.joined) \(.waiting)"' '1 0 1'
run 0 import earlier.csv --mapping years.map
run 0 import later.csv --mapping years.map --json
json '"\(.added) \(.joined) \(.waiting)"' '0 1 0'
run 0 show 'y 1' --json
json '.same | length' 1
run 0 same 'y 1' 'y 2' --part
run 0 import later.csv --mapping years.map --json
json .joined 0

# --- JSON, and one voice for each voter and column ---

cat >list.json <<'JSON'
{"made": "x", "items": [{"id": 7, "org": [{"name": "Ünï"}], "much": 0.1}, {"id": 8, "org": [], "deep": {"a": {"b": true}}}]}
JSON
cat >list.map <<'MAP'
[need]
key = j {id}
title = Item {id} {{by}} {org/0/name}{deep/a/b|}{never|}
MAP
run 0 import list.json --mapping list.map --json
json .added 2
field 'j 7' title 'Item 7 {by} Ünï'
field 'j 8' title 'Item 8 {by} true'
printf 'who,7,8,note\na,1,-1,x\nb,1,,y\n' >matrix.csv
cat >matrix.map <<'MAP'
[table]
source = poll
[voice]
for each column = numbers
about = j {:column}
voter = {who}
stance = {:cell -> s}
time = 2026-02-03
[values s]
1 = for
-1 = against
MAP
run 0 import matrix.csv --mapping matrix.map --json
json '"\(.voices) \(.unchanged)"' '3 0'
run 0 import matrix.csv --mapping matrix.map --json
json '"\(.voices) \(.unchanged)"' '0 3'
run 0 show 'j 7'
says 'Voices: 2 for, 0 against'
# The same voters of another source are other persons.
run 0 import matrix.csv --mapping matrix.map --source other
run 0 show 'j 7'
says 'Voices: 4 for, 0 against'

# --- tabs, and a charset that is named ---

printf 'id\tt\n1\tna\xefve\n' >tabs.tsv
printf '[table]\ncharset = ISO-8859-1\n[need]\nkey = t {id}\ntitle = {t}\n' >tabs.map
run 0 import tabs.tsv --mapping tabs.map
field 't 1' title 'naïve'
printf '[table]\ncharset = utf-8\n[need]\nkey = t {id}\ntitle = {t}\n' >tabs.map
run 1 import tabs.tsv --mapping tabs.map
complains 'not UTF-8'

# --- mappings that are wrong ---

refuse() { # TEXT LINE SENTENCE
    printf '%b' "$1" >wrong.map
    run 2 import earlier.csv --mapping wrong.map
    complains "wrong.map$2"
    complains "$3"
}
refuse '[need]\ntitel = {t}\n' :2 '"titel"'
refuse '[need]\ntitle = {t}\ntitle = {t}\n' :3 'second time'
refuse '[remark]\nurgency = {t}\n' :2 '"urgency"'
refuse '[wish]\ntitle = {t}\n' :1 '"wish"'
refuse '[need]\ntitle {t}\n' :2 'NAME = VALUE'
refuse 'title = {t}\n' :1 'section'
refuse '[need\n' :1 ']'
refuse '[need]\ntitle = {t\n' :2 '}'
refuse '[table]\narea = 1,2,3\n' :2 'docs/imports.md'
refuse '[table]\ncolour = red\n' :2 '"colour"'
refuse '[table]\ncomplete = yes\n[need]\ntitle = {t}\n' '' 'source'
refuse '[need]\n' :1 'says nothing'
refuse '[values x]\na = b\n' '' 'makes no records'
printf '[need]\nkey = {nr}\ntitle = {t}\n' >wrong.map
run 1 import earlier.csv --mapping wrong.map
complains 'wrong.map:2: earlier.csv has no column "nr"'
printf '[need]\ntitle = {t -> x}\n' >wrong.map
run 1 import earlier.csv --mapping wrong.map
complains '[values x]'
run 2 import earlier.csv --mapping years.map --map t=title
run 1 import earlier.csv --mapping none.map
complains none.map
printf '[need]\ntitle = {id}\n' >wrong.map
for text in '{"a": 1}' '[1]' '[]' '{' '{"a": [], "b": []}'; do
    printf '%s' "$text" >bad.json
    run 1 import bad.json --mapping wrong.map
    complains bad.json
done
echo "$checks checks"
