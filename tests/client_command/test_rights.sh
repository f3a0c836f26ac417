#!/usr/bin/env bash
# Who may do what, erasing, audience, contacts; and joining anew after a copy or a revocation.
# shellcheck source=tests/client_command/lib.sh
source "$(dirname "$0")/lib.sh" "$@"
need_hub
hub_start hub
hub_found

# --- a coordinator invites ---

use chandra
run 0 join "$(link_of coordinator)"
run 0 sync
run 0 invite --label 'Amina' --valid 2d --json
json .role volunteer
link=$(jq -r .link "$dir/out")
run 2 invite --valid soon
run 2 invite --uses 0
run 1 invite --role boss
run 0 invite --role member
says 'as member, valid until'
says 'folkmoot://127.0.0.1'
member_link=$(grep -o 'folkmoot://.*' "$dir/out")
use amina
run 0 join "$link"
run 0 sync
run 4 invite
complains 'only a coordinator invites'
run 0 status --json
json '.communities[0].role' volunteer

# --- a member has one voice, and takes it back ---

run 0 add need --title 'A bench' --words 'Nowhere to sit.' --person new
card=$(sed -n 's/^card \([0-9A-Z]*\) .*/\1/p' "$dir/out")
run 0 voice 'A bench' for --person "$card" --words 'My knees.'
run 0 sync
use member
run 0 join "$member_link"
run 0 sync
run 0 voice 'A bench' for
run 4 voice 'A bench' for --person new
complains 'a member may not'
run 4 add need --title 'Mine'
run 0 show 'A bench' --json
json .tally.for 2
run 0 withdraw 'A bench'
run 0 sync
run 0 show 'A bench' --json
json .tally.for 1

# --- audience and contact ---

use amina
run 0 sync
run 0 audience 'A bench'
says 'community (nobody has said so)'
run 0 audience 'A bench' public
says 'is for: public'
run 0 audience 'A bench' --json
json .audience public
json .said true
run 2 audience 'A bench' everybody
run 1 contact "$card"
run 0 contact "$card" --name Asha --telephone 0123 --telephone 0456
says 'added'
run 0 contact "$card" --email asha@example.org
says 'edited'
run 0 contact "$card"
says 'Asha'
says '0456'
says 'asha@example.org'
run 2 contact "$card" --urgency high
run 0 contact "$card" --json
json '.contacts | length' 1
run 1 contact 'nobody at all'
run 0 sync
use member
run 0 sync
run 1 contact "$card"
use chandra
run 0 sync
run 0 contact "$card"
says 'Asha'

# --- erasing ---

use amina
run 0 add need --title 'Said in anger' --words 'Not for anybody.'
run 2 erase 'Said in anger'
complains '--yes'
run 2 erase --yes
run 2 erase 'Said in anger' --person "$card" --yes
run 0 erase 'Said in anger' --yes
says '1 change of this device'
run 1 show 'Said in anger'
run 0 add need --title 'A roof' --words 'It rains in.'
run 0 sync
use chandra
run 0 sync
run 1 show 'Said in anger'
run 1 erase 'A roof' --mine --yes
run 0 erase 'A roof' --yes --json
json .done erased
json .erased_here 0
run 0 erase --person "$card" --yes
run 0 sync
run 0 sync
run 1 show 'A roof'
run 1 contact "$card"
use amina
run 0 sync
run 1 show 'A roof'
run 1 contact "$card"
run 1 show 'A bench'
if grep -rqF -e 'Not for anybody' -e 'It rains in' -e 'My knees' -e Asha "$dir/hub" "$dir/stores"; then
    fail 'erased words are in a file'
fi

# --- a copied phone joins anew in its own store ---

use amina
run 0 add need --title 'Before'
run 0 sync
cp -r "$dir/stores/amina" "$dir/stores/copy"
run 0 add need --title 'On the phone'
run 0 sync
use copy
run 0 add need --title 'On the copy'
run 0 voice 'On the copy' for --person new
run 1 sync
complains 'join anew'
run 0 status
says 'a copy'
run 0 show 'On the copy'
complains 'is a copy'
run 0 add constraint --about 'On the copy' --words 'No money.'
run 0 join "$(link_of volunteer)"
says '3 changes that were not sent go along'
run 0 status
says '3 changes of the key before'
run 0 sync
says 'written anew under the new key 3'
run 0 sync --json
json .carried 0
use amina
run 0 sync
run 0 show 'On the copy' --json
json .tally.for 1
json '.from | length' 1

# --- a revoked phone delivers, and is let in again ---

use amina
device=$(run 0 status --json && jq -r '.communities[0].device' "$dir/out")
ctl revoke 'Nettle Valley' "$device" >/dev/null
run 0 add need --title 'Written before it knew'
run 4 sync
complains 'this device was revoked; what it delivers (1 just now) is kept'
run 0 status
says 'was revoked'
run 0 show 'On the copy'
complains 'was revoked'
run 0 add need --title 'Written after'
run 0 join "$(link_of member)"
run 0 sync
says 'set apart by the hub 1'
run 0 sync
run 0 status
says 'the role of this device did not allow it'
run 0 status --json
json '.communities[0].apart | length' 1
json '.communities[0].apart[0].kind' need
hub_stop
echo "$checks checks"
