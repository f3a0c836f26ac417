#!/usr/bin/env bash
# 50,000 records (FOLKMOOT_EXPORT_RECORDS) are exported in the same few MiB as few are, and while an export
# waits for whoever reads it, the hub takes what devices push.
# shellcheck source=tests/client_command/lib.sh
source "$(dirname "$0")/lib.sh" "$@"
need_hub
records=${FOLKMOOT_EXPORT_RECORDS:-50000}
hub_start hub $'[limits]\ndevice_changes_per_day = 0\ndevice_bytes_per_day = 0\n'
hub_found
joined amina

# Of data, not of what is mapped from files. A sanitizer's program starts with more than that.
limit_kib=28000
if ! (ulimit -d "$limit_kib" && "$folkmootctl" --version >/dev/null 2>&1); then
    echo "the programs are built with a sanitizer: memory is not limited"
    limit_kib=unlimited
fi

python3 - "$records" >"$dir/needs.csv" <<'PYTHON'
import sys
print("kind,key,title,words,category,audience,place_point,place")
for i in range(int(sys.argv[1])):
    audience = "public" if i % 2 else "community"
    print(f'need,k{i},need {i},"words of need {i}, which are some",c{i % 7},{audience},"51.5,-0.{i % 9}",place {i % 50}')
PYTHON
run 0 import "$dir/needs.csv"
run 0 sync

# export_as FORM FILE [OPTION...]
export_as() {
    local form=$1 file=$2
    shift 2
    checks=$((checks + 1))
    (ulimit -d "$limit_kib" && exec "$folkmootctl" --config "$dir/hub.conf" \
        export 'Nettle Valley' "$file" --as "$form" "$@") >"$dir/out" 2>"$dir/err" || fail "no export as $form $*"
}

for form in csv jsonl geojson sqlite; do
    export_as "$form" "$dir/all.$form"
    says "exported as $form: $records records"
done
export_as jsonl "$dir/public.jsonl" --audience public
says "exported as jsonl: $((records / 2)) records"
says "$((records - records / 2)) more are not for this audience."
python3 - "$dir/all.jsonl" "$dir/public.jsonl" <<'PYTHON'
import json, sys
for path in sys.argv[1:]:
    with open(path) as file:
        ids = [json.loads(line)["id"] for line in file]
    assert ids == sorted(ids) and len(ids) == len(set(ids)), "an id twice, or out of order"
PYTHON
checks=$((checks + 2))

# --- the limit bites: what is not flat would not pass ---

if [ "$limit_kib" != unlimited ]; then
    checks=$((checks + 1))
    if (ulimit -d "$limit_kib" && python3 -c "b'x' * ($limit_kib * 1024)") 2>/dev/null; then
        fail 'the limit does not hold'
    fi
fi

# --- the hub while an export waits ---

mkfifo "$dir/line"
"$folkmootctl" --config "$dir/hub.conf" export 'Nettle Valley' - --as jsonl >"$dir/line" 2>"$dir/err" &
exporting=$!
exec 3<"$dir/line"
read -r first <&3
[ -n "$first" ] || fail 'nothing was exported'
for i in 1 2 3; do
    run 0 add need --title "said meanwhile $i"
    run 0 sync
done
run 0 status --json
json '.communities[0].unsent' 0
kill -0 "$exporting" || fail 'the export did not wait'
rest=$(wc -l <&3)
exec 3<&-
wait "$exporting" || fail 'the export ended badly'
[ "$((rest + 1))" -ge "$records" ] || fail "$((rest + 1)) of $records records"
[ "$((rest + 1))" -le "$((records + 3))" ] || fail "$((rest + 1)) records of $records and 3"
echo "$checks checks"
