#!/usr/bin/env bash
# Two volunteers gather, offline and apart, and sync with a hub.
# shellcheck source=tests/client_command/lib.sh
source "$(dirname "$0")/lib.sh" "$@"
need_hub
hub_start hub
hub_found
joined amina tomas

# --- adding, finding, showing ---

use amina
run 0 add need --title 'A crossing' --words $'Nowhere to cross.\nNot one stripe.' --language en \
    --category transport --category=safety --affected 'school children' --urgency high \
    --place 'The gate|MG-1|51.5412,-0.0187' --person new --time 2026-05-01
says 'added'
says 'card '
card=$(sed -n 's/^card \([0-9A-HJKMNP-TV-Z]\{26\}\) .*/\1/p' "$dir/out")
[ ${#card} -eq 26 ] || fail 'a card has 26 characters of Crockford base32'
short=$(sed -n 's/^need \([0-9a-f]*\) added/\1/p' "$dir/out")
for name in "$short" 'A crossing' "$(run 0 show "$short" --json && jq -r .id "$dir/out")" \
    "need:$(jq -r .id "$dir/out")"; do
    run 0 show "$name"
    says "need $short  A crossing"
    says 'Not one stripe.'
    says 'transport; safety'
    says 'The gate, MG-1, 51.5412,-0.0187'
done
run 0 show "$short" --json
json '.fields[] | select(.name == "words").values[0].text' $'Nowhere to cross.\nNot one stripe.'
json '.fields[] | select(.name == "title").values[0].time' 2026-05-01T00:00:00.000Z
run 1 show nothing
complains 'folkmoot list'
run 2 add need --nature policy
complains 'no field'
run 2 add neeed --words x
run 2 add need
run 1 add need --words x --urgency soon
complains 'low, medium, high'
run 2 add need --words x --time yesterday
run 0 list need --json
json '.records | length' 1

run 0 add constraint --about "$short" --words 'No money this year.' --nature financial
run 0 add solution --about 'A crossing' --title Stripes --cost-low 800 --cost-high 2500 \
    --currency GBP --led-by community
run 0 add party --title 'The Osier Fund' --party-kind funder
run 0 add commitment --about Stripes --party 'The Osier Fund' --amount 1200.50 --currency GBP \
    --state promised --due 2026-12-01 --words 'Half of it.' --json
commitment=$(jq -r .id "$dir/out")
run 0 add outcome --about "commitment:$commitment" --result partly --happened 2026-11-20 --words Painted.
run 1 add commitment --about Stripes --party 'A crossing' --words x
complains 'is a need'
run 0 show 'A crossing'
says 'constraint'
says '(nature financial)'
says 'Stripes'
says 'state promised, amount 1200.5'
says '(result partly, happened 2026-11-20)'
run 0 list --about Stripes
says commitment
says_not need

# --- voices: one person, one voice ---

run 0 voice 'A crossing' for --person "$card" --words 'My words.' --time 2026-05-01
run 0 voice 'A crossing' against --person new
run 2 voice 'A crossing' maybe --person "$card"
run 2 voice 'A crossing' for
complains '--person CARD'
sync_all amina tomas
use tomas
run 0 voice 'A crossing' unsure --person "$card" --time 2026-05-02
run 0 add voice --about 'A crossing' --stance for --person new --words 'Mine, too.'
run 2 add voice --about 'A crossing' --stance for --person new --urgency high
sync_all tomas amina
use amina
run 0 show 'A crossing'
says 'Voices: 1 for, 1 against, 1 unsure'
says 'Mine, too.'
run 0 list need
says '+1 -1 ?1'

# --- a tension, and settling it ---

run 0 edit 'A crossing' --title 'A safe crossing' --clear urgency
use tomas
run 0 edit 'A crossing' --title 'Stripes and a light' --category health --remove category=safety
sync_all tomas amina
run 0 show "$short"
says 'TENSION: 2 values stand side by side'
says '@1  '
says 'A safe crossing'
says 'Stripes and a light'
says 'this device'
says 'went over the title'
says "folkmoot resolve $short --title @N"
run 0 list
says '1 tension'
run 0 find LIGHT Strip
says 'Stripes and a light'
run 0 find crossing light lake
says 'Nothing found'
run 1 find '?!'
complains 'no word to find'
run 1 resolve "$short" --title @3
run 1 resolve "$short" --language de
complains 'no tension'
run 2 resolve "$short"
run 0 show "$short" --json
json '.tensions[0]' title
first=$(jq -r '.fields[] | select(.name == "title").values[0].text' "$dir/out")
run 0 resolve "$short" --title @1
run 0 show "$short" --json
json '.title' "$first"
json '.tensions | length' 0
json '[.fields[] | select(.name == "category").values[].text] | sort | join(" ")' 'health transport'
json '[.fields[] | select(.name == "urgency").values[]] | length' 0
run 1 resolve "$short" --title @1
sync_all amina tomas
run 0 show "$short" --json
json '.title' "$first"

# --- undo, same ---

run 0 add remark --about "$short" --words 'First words.' --title note
run 0 edit note --words 'Second words.'
run 0 undo
says undone
run 0 show note
says 'First words.'
run 2 undo x
run 1 undo 4000000000
run 0 add need --title 'The crossing again' --words 'Please.'
run 0 voice 'The crossing again' against --person "$card" --time 2026-05-03
run 0 same "$short" 'The crossing again'
run 0 show "$short"
says 'the same as'
says 'Voices: 1 for, 2 against, 0 unsure'
run 0 same "$short" 'The crossing again' --part
run 0 show "$short"
says 'Voices: 1 for, 1 against, 1 unsure'
run 1 same "$short" note
complains 'only two of one kind'

# --- words that would take over a terminal ---

run 0 add need --title trap --words $'red \e[31m bell \a c1 \u009b over \u202e\u2066 end'
run 0 show trap
says 'bell'
if grep -qP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xaa-\xae]|\xe2\x81[\xa6-\xa9]' \
    <(LC_ALL=C cat "$dir/out"); then
    fail 'a control character was printed'
fi
run 0 show trap --json
json '.fields[] | select(.name == "words").values[0].text' $'red \e[31m bell \a c1 \u009b over \u202e\u2066 end'

# --- status, communities ---

run 0 status
says 'Nettle Valley'
says volunteer
run 0 sync --json
json .unsent 0
run 0 --community 'Nettle Valley' list
run 1 --community Elsewhere list
complains 'folkmoot status'
hub_stop
run 0 add remark --about "$short" --words 'Said without a signal.'
run 0 status --json
json '.communities[0].unsent' 1
run 3 sync
complains '1 still to send'
hub_start hub
run 0 sync --json
json .sent 1
echo "$checks checks"
