#!/usr/bin/env bash
# Whom the command talks to: the hub of the link, and nobody else.
# shellcheck source=tests/client_command/lib.sh
source "$(dirname "$0")/lib.sh" "$@"
need_hub
hub_start hub
hub_found

link=$(link_of volunteer)
use amina
run 0 join "$link" --json
json .name 'Nettle Valley'
run 0 join "$link"
run 0 add need --title 'A roof' --words 'It rains.'
use tomas
run 4 join "$link"
complains 'invitation'
run 0 status --json
json '.communities | length' 0
other=$(link_of volunteer)

# Another machine in the hub's place gets nothing, and the device keeps what it has.
hub_stop
hub_start stranger
use amina
run 4 sync
complains 'another hub'
run 0 status --json
json '.communities[0].unsent' 1
use tomas
run 4 join "$other"
hub_stop

# The hub itself may have a new TLS key: its identity key says so.
rm "$dir/hub/tls.pem"
hub_start hub
use amina
run 0 sync --json
json .sent 1
json .unsent 0
run 0 sync --json
json .requests 1
use tomas
run 0 join "$other"
run 0 sync
run 0 show 'A roof'

# Nobody there.
hub_stop
run 3 sync
complains 'is kept'
echo "$checks checks"
