#!/usr/bin/env bash
# usage: tests/imports/run.sh FOLKMOOT FOLKMOOTD FOLKMOOTCTL
#
# Imports what lies in ../shared/data with the mappings of samples/: each snapshot must come to the
# counts of expect.py, and the last ones imported again to no change. Of pol.is one conversation and a piece of
# another; all 412,416 votes with FOLKMOOT_IMPORTS=all. Without the data it is skipped.
# shellcheck source=tests/client_command/lib.sh
here=$(cd "$(dirname "$0")" && pwd)
data=${FOLKMOOT_DATA:-$here/../../../shared/data}
if [ ! -d "$data" ]; then
    echo "imports: SKIPPED, there is no data at $data"
    exit 77
fi
source "$here/../client_command/lib.sh" "$@"
need_hub
mappings=$samples/mappings
cd "$dir"

# device COMMUNITY: a new device in a new community.
device() {
    ctl community create "$1" >/dev/null
    use "$1"
    run 0 join "$(ctl invite "$1" --role coordinator | jq -r .link)"
    run 0 sync
}

# takes FILE MAPPING WORD...: the import is as expect.py WORD... says, and again changes nothing.
takes() {
    local file=$1 mapping=$2 code=0
    shift 2
    python3 "$here/expect.py" "$@" >expected || fail "expect.py $*"
    [ "$(jq '.left_out // 0' expected)" -eq 0 ] || code=1
    run "$code" import "$file" --mapping "$mappings/$mapping.map" "${more[@]}" --json
    # All that is expected is there; what is expected as 0 may be absent.
    jq -e -n --slurpfile want expected --slurpfile got "$dir/out" \
        '[$want[0] | paths(numbers)] | all(. as $p | ($got[0] | getpath($p) // 0) == ($want[0] | getpath($p)))' \
        >/dev/null || fail "$file is not as expected: $(cat expected)"
    checks=$((checks + $(jq '[paths(numbers)] | length' expected)))
    [ -z "${once:-}" ] || return 0
    run "$code" import "$file" --mapping "$mappings/$mapping.map" "${more[@]}" --json
    json '"\(.added) \(.voices) \(.edited) \(.joined) \(.rows.new // 0) \(.rows.changed // 0)"' '0 0 0 0 0 0'
}

# shows KIND FILE: a closer look at ten records.
shows() {
    python3 "$here/expect.py" look "$1" "$2" >looks
    [ "$(wc -l <looks)" -ge 10 ] || fail 'nothing to look at'
    local record field value shown=
    while IFS=$'\t' read -r record field value; do
        if [ "$record" != "$shown" ]; then
            run 0 show "$record" --json
            shown=$record
        fi
        checks=$((checks + 1))
        jq -e --arg field "$field" --argjson value "$value" \
            '[.fields[] | select(.name == $field).values[].text] == [$value]' "$dir/out" >/dev/null ||
            fail "$record: $field is not $value"
    done <looks
}

# The hub takes all of it, and holds the same.
synced() {
    run 0 sync
    run 0 fingerprint
    checks=$((checks + 1))
    [ "$(cat "$dir/out")" = "$("$folkmootctl" --socket "$dir/socket" fingerprint "$1")" ] ||
        fail "the hub holds something else"
}

say() {
    echo "imports: $* ($SECONDS s)"
}

grants() {
    local more=() sum='0 0 0' files=() file once=yes
    device grants
    for file in "$data"/covid19-grants/*.json.gz; do
        files+=("$(basename "$file" .gz)")
        zcat "$file" >"${files[-1]}"
        [ ${#files[@]} -lt 7 ] || once=
        takes "${files[-1]}" 360giving grants "${files[@]}"
        if [ ${#files[@]} -gt 1 ]; then
            sum=$(jq -r --arg s "$sum" '($s | split(" ") | map(tonumber)) as $s |
                "\($s[0] + .rows.new + .rows.back) \($s[1] + .rows.changed) \($s[2] + .gone)"' expected)
        fi
    done
    checks=$((checks + 1))
    [ "$sum" = '1960 785 5' ] || fail "additions, changes and removals: $sum"
    shows grants "${files[-1]}"
    synced grants
    say 'grants: 1,960 additions, 785 changes, 5 removals'
}

pins() {
    local more=()
    device pins
    zcat "$data"/dc-vision-zero/*2015*.gz >2015.csv
    zcat "$data"/dc-vision-zero/*2019*.gz >2019.tsv
    takes 2015.csv street-pins pins 2015.csv
    takes 2019.tsv street-pins pins 2015.csv 2019.tsv
    checks=$((checks + 1))
    [ "$(jq .kinds.need.edited expected)" = 558 ] || fail 'not 558 edited'
    run 0 list need --json
    json '.records | length' 5569
    json '[.records[].tensions[]] | length' 0
    shows pins 2019.tsv
    synced pins
    say 'pins: 558 edited texts, 1,154 new ones, 20 odd pins'
}

requests() {
    local more=(--time 2020-03-23)
    device requests
    zcat "$data"/nyc-cbbr/fy2021*.gz >2021.csv
    zcat "$data"/nyc-cbbr/fy2022*.gz >2022.csv
    takes 2021.csv budget-requests requests 2021.csv
    takes 2022.csv budget-requests requests 2021.csv 2022.csv
    checks=$((checks + 1))
    [ "$(jq .joined expected)" = 2507 ] || fail 'not 2507 parents'
    run 0 list need --json
    json '.records | length' 6724
    say 'requests: 6,724 of two years, 2,507 joined with their parents'
}

# conversation NAME FOLDER: its statements and votes.
conversation() {
    local more=(--source "$1" --time 2018-02-28) votes=votes.csv mapping=polis-votes
    device "$1"
    run 0 import "$2/comments.csv" --mapping "$mappings/polis-comments.map" --source "$1"
    if [ -e "$2/votes.csv.gz" ]; then
        zcat "$2/votes.csv.gz" >"$votes"
    else
        zcat "$2/participants-votes.csv.gz" >"$votes"
        mapping=polis-matrix
    fi
    takes "$votes" "$mapping" voices "$votes"
    run 0 list need --json
    checks=$((checks + 1))
    python3 "$here/../polis/check.py" "$2" <"$dir/out" >checked || fail "$1: tallies are wrong"
    say "$1: $(cat checked)"
}

# The first hundred voters of the conversation that comes as a matrix.
piece() {
    mkdir piece
    cp "$1/comments.csv" piece
    zcat "$1/participants-votes.csv.gz" | sed -n 1,101p | gzip >piece/participants-votes.csv.gz
    conversation piece piece
}

hub_start hub
grants
pins
requests
if [ "${FOLKMOOT_IMPORTS:-}" = all ]; then
    for folder in "$data"/polis/*/; do
        conversation "$(basename "$folder")" "${folder%/}"
    done
else
    conversation canadian "$data/polis/canadian-electoral-reform"
    piece "$data/polis/american-assembly.bowling-green"
fi
echo "$checks checks"
