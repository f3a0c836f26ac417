#!/usr/bin/env bash
# Real grants (360Giving's COVID-19 tracker, CC BY 4.0) are imported as commitments and exported again: the
# same awards, to the penny and the day. Skipped where the data is absent.
# shellcheck source=tests/client_command/lib.sh
source "$(dirname "$0")/lib.sh" "$@"
need_hub
data=${FOLKMOOT_DATA:-$(cd "$(dirname "$0")/../.." && pwd)/../shared/data}/covid19-grants
if ! compgen -G "$data/*.json.gz" >/dev/null; then
    echo "SKIPPED: $data has no grants"
    exit 77
fi
source_file=$(printf '%s\n' "$data"/*.json.gz | tail -n 1)
hub_start hub
hub_found
joined amina

python3 - "$source_file" "$dir/parties.csv" "$dir/grants.csv" <<'PYTHON'
import csv, gzip, json, sys
grants = json.load(gzip.open(sys.argv[1]))["grants"]
parties = {}

def party(organisation):
    named = (organisation["id"], organisation["name"])
    return parties.setdefault(named, "party %d" % len(parties))

with open(sys.argv[3], "w", newline="") as file:
    out = csv.writer(file)
    out.writerow(["kind", "key", "title", "words", "currency", "amount", "time", "party", "about"])
    for grant in grants:
        out.writerow(["commitment", grant["id"], grant["title"], grant["description"], grant["currency"],
                      "%.2f" % grant["amountAwarded"], grant["awardDate"][:10] + "T12:00:00Z",
                      party(grant["fundingOrganization"][0]), party(grant["recipientOrganization"][0])])
with open(sys.argv[2], "w", newline="") as file:
    out = csv.writer(file)
    out.writerow(["kind", "key", "title", "register_id"])
    out.writerows(["party", key, name, number] for (number, name), key in parties.items())
PYTHON
run 0 import "$dir/parties.csv"
run 0 import "$dir/grants.csv"
run 0 sync
"$folkmootctl" --config "$dir/hub.conf" export 'Nettle Valley' "$dir/grants.json" --as 360giving \
    --prefix 360G-test >"$dir/out" 2>"$dir/err" || fail 'no export'
python3 - "$source_file" "$dir/grants.json" <<'PYTHON'
import collections, gzip, json, sys

def awards(grants):
    return collections.Counter(
        (g["title"].strip(), g["description"].strip(), g["currency"], round(g["amountAwarded"] * 100), g["awardDate"][:10])
        + tuple(g[who][0][what].strip() for who in ("fundingOrganization", "recipientOrganization") for what in ("id", "name"))
        for g in grants)

source = awards(json.load(gzip.open(sys.argv[1]))["grants"])
exported = json.load(open(sys.argv[2]))["grants"]
assert len({g["id"] for g in exported}) == len(exported), "an id twice"
missing, more = source - awards(exported), awards(exported) - source
if missing or more:
    sys.exit("%d missing, %d more, such as\n%r\n%r" % (
        missing.total(), more.total(), next(iter(missing), None), next(iter(more), None)))
print("%d grants, the same awards as the source" % len(exported))
PYTHON
