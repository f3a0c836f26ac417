#!/usr/bin/env bash
# A device without a line: letters on a card, and the answers back.
# shellcheck source=tests/client_command/lib.sh
source "$(dirname "$0")/lib.sh" "$@"
need_hub
hub_start hub
hub_found

use bina
run 0 join "$(link_of volunteer)"
run 0 sync
run 0 add need --title 'A bench' --words 'Nowhere to sit.'
run 0 sync
use amina
run 0 join "$(link_of volunteer)"
run 0 sync

# --- over the hill ---

use bina
run 0 add need --title 'A light' --words 'The steps are dark.'
run 0 sync
use amina
run 0 add need --title 'A bus' --words 'None after six in Nettle Row.'
run 0 carry export "$dir/letter"
says '1 unsent change,'
run 1 carry export "$dir/letter"
complains 'is there already, and is left as it is'
run 2 carry expert "$dir/other"
complains 'not "expert"'
run 2 carry export
checks=$((checks + 1))
if grep -aqF 'Nettle' "$dir/letter"; then
    fail "the letter can be read"
fi

run 0 status --json
device=$(jq -r '.communities[0].device' "$dir/out")
ctl devices 'Nettle Valley' >"$dir/out"
synced=$(jq -r ".devices[] | select(.handle == \"$device\") | .last_sync" "$dir/out")
use bina
run 0 carry import "$dir/letter"
says 'letter.answer'
run 1 carry import "$dir/letter"
complains 'letter.answer is there already'
run 1 carry import "$dir/letter.answer"
complains 'is an answer to another device'
run 0 list need
says_not 'A bus' # whoever carries it has read nothing of it
run 0 sync
run 0 list need
says 'A bus'

use amina
run 0 list need
says_not 'A light'
run 0 carry import "$dir/letter.answer"
says 'the hub has 1 more change of this device; received 1, still to send 0'
run 0 list need
says 'A light'
run 0 carry import "$dir/letter.answer" --json
json .done read
json .sent 0
json .received 0
json .unsent 0
run 0 sync
says 'sent 0, received 0'

# --- what is no letter, or was altered ---

echo words >"$dir/words"
run 1 carry import "$dir/words"
complains 'is no letter'
run 1 carry import "$dir/nothing"
complains 'cannot be opened'
run 0 add need --title 'A tap' --words 'The one by the school is dry.'
run 0 carry export "$dir/second" --json
json .done written
json .unsent 1
json .left 0
cp "$dir/second" "$dir/altered"
byte=$(od -An -tu1 -j200 -N1 "$dir/second")
printf '%b' "\\x$(printf '%02x' $((byte ^ 1)))" | dd of="$dir/altered" bs=1 seek=200 conv=notrunc 2>/dev/null
use bina
run 4 carry import "$dir/altered"
complains 'it was altered, or is sealed to another hub'
run 0 carry import "$dir/second" --json
json .done delivered
json .answer "$dir/second.answer"

# --- the admin sees who wrote it, as if they had synced ---

ctl devices 'Nettle Valley' >"$dir/out"
json ".devices[] | select(.handle == \"$device\") | .changes" 2
json ".devices[] | select(.handle == \"$device\") | .undelivered" 0
json ".devices[] | select(.handle == \"$device\") | .last_sync > $synced" true

# --- the hub is gone for good: no letter is lost ---

use amina
run 0 carry import "$dir/second.answer"
says 'still to send 0'
run 0 add need --title 'A gate' --words 'It does not close.'
run 0 carry export "$dir/third"
hub_stop
use bina
run 3 carry import "$dir/third"
complains 'the letter stays as it is'

echo "$checks checks"
