#!/usr/bin/env bash
# Who has not been heard, beside a population table; and the map of the page, from a file of outlines.
# shellcheck source=tests/client_command/lib.sh
source "$(dirname "$0")/lib.sh" "$@"
need_hub
printf 'code,name,persons\nE1,North gate,1000\nE2,Abbey,50\nE3,Abbey,\nE4,<b>The well</b>,20\nE5,البئر,10\n' \
    >"$dir/population.csv"
hub_start hub "[picture]
population = $dir/population.csv
"
hub_found
joined amina

# need TITLE PLACE
need() {
    run 0 add need --title "$1" --place "$2"
}

# --- places and sorts of party ---

need 'A crossing' 'North gate|E1'
run 0 sync
"$folkmootctl" --socket "$dir/socket" picture 'Nettle Valley' >"$dir/out" 2>"$dir/err"
says 'Nobody has a voice on anything yet.'
says '      0 heard of 1000  North gate (E1)'

# lives PLACE PARTY: one more person has a voice, lives there and speaks for such a party.
lives() {
    run 0 voice 'A crossing' for --person new
    run 0 show 'A crossing' --json
    local id
    id=$(jq -r '[.voices[].person] - $known | .[0]' --argjson known "${known:-[]}" "$dir/out")
    known=$(jq -c '[.voices[].person]' "$dir/out")
    run 0 edit "person:$id" --place "$1" --party-kind "$2"
}
lives 'North gate' community
lives '|E1' community
lives 'Abbey' frontline
lives '<b>The well</b>' community
run 0 voice 'A crossing' against --person new
run 0 sync

# picture FILTER VALUE: of the answer.
picture() {
    checks=$((checks + 1))
    ctl picture 'Nettle Valley' >"$dir/out" 2>"$dir/err" || fail 'no picture'
    json "$1" "$2"
}
picture '[.unheard[] | "\(.code) \(.heard)/\(.population)"] | join("; ")' \
    'E2 0/50; E3 0/null; E5 0/10; E1 2/1000; E4 1/20'
picture .more_unheard null
picture '.unheard[2].name' 'البئر'

"$folkmootctl" --socket "$dir/socket" picture 'Nettle Valley' >"$dir/out" 2>"$dir/err"
says 'Who has not been heard'
says '      0 heard of 50  Abbey (E2)'
says '      0 heard  Abbey (E3)'
says '      2 heard of 1000  North gate (E1)'
says 'fewest first: support 0, funder 0, commissioner 0, statutory 0, frontline 1, community 3; 1 did not say.'

run 0 picture
says 'Who has not been heard'
says 'frontline 1, community 3; 1 did not say'
run 0 picture --json
json .heard.community 3
json .heard.funder 0
json .heard.not_said 1

# The table is read anew.
printf 'code,name\nE1,North gate\nE9,New place\n' >"$dir/population.csv"
kill -HUP "$hub_pid"
for ((tries = 0; tries < 100; tries++)); do
    grep -q 'the population table was read anew: 2 places' "$dir/hub.log" && break
    sleep 0.1
done
picture '[.unheard[] | "\(.code) \(.heard)"] | join("; ")' 'E9 0; E1 2'
printf 'code,name,persons\nE1,North gate,1000\nE2,Abbey,50\nE3,Abbey,\nE4,<b>The well</b>,20\nE5,البئر,10\n' \
    >"$dir/population.csv"
kill -HUP "$hub_pid"
for ((tries = 0; tries < 100; tries++)); do
    grep -q 'the population table was read anew: 5 places' "$dir/hub.log" && break
    sleep 0.1
done

# --- the page ---

for title in 'Two' 'Three' 'Four' 'Five'; do
    need "$title" 'North gate|E1'
done
need 'Water' '<b>The well</b>'
need 'معبر' 'البئر'
need 'A bench' 'Abbey'
run 0 sync

# html FILE WORD...: the page is in FILE and in out.
html() {
    checks=$((checks + 1))
    "$folkmootctl" --socket "$dir/socket" picture 'Nettle Valley' --html "$@" >/dev/null 2>"$dir/err" ||
        fail 'no page'
    cp "$1" "$dir/out"
}
html "$dir/plain.html"
says 'Nobody who lives in these places has a voice on anything yet'
says '<bdi>Abbey</bdi> (<bdi>E2</bdi>), <bdi>Abbey</bdi> (<bdi>E3</bdi>), <bdi>البئر</bdi> (<bdi>E5</bdi>).'
says '&lt;b&gt;The well&lt;/b&gt;</bdi> (<bdi>E4</bdi>)</th><td class="n">20</td><td class="n">1</td>'
says_not 'On the map'
says_not '<b>The well'

# square WEST SOUTH: a ring of a tenth of a degree.
square() {
    jq -nc --argjson x "$1" --argjson y "$2" \
        '[[$x,$y],[$x+0.05,$y],[$x+0.1,$y],[$x+0.1,$y+0.1],[$x,$y+0.1],[$x,$y]]'
}
feature() {
    jq -nc --argjson properties "$1" --arg type "$2" --argjson coordinates "$3" \
        '{type: "Feature", $properties, geometry: {$type, $coordinates}}'
}
collection() {
    jq -sc '{type: "FeatureCollection", features: .}'
}
hole='[[0.02,51.52],[0.04,51.52],[0.04,51.54],[0.02,51.52]]'
{
    feature '{"FID":1,"WDCD":"E1","WDNM":"North \"gate\" & more"}' Polygon "[$(square 0 51.5),$hole]"
    feature '{"WDCD":"E2","WDNM":"Abbey"}' Polygon "[$(square 0.1 51.5)]"
    feature '{"WDCD":"E3","WDNM":"Abbey"}' Polygon "[$(square 0.2 51.5)]"
    feature '{"WDCD":"E4","WDNM":"<b>The well</b>"}' MultiPolygon "[[$(square 0 51.4)],[$(square 0.1 51.4)]]"
    feature '{"WDNM":"البئر","WDCD":"E5"}' Polygon "[$(square 0.2 51.4)]"
    feature '{"WDCD":"E6"}' Point '[0,51.5]'
    feature null Polygon "[$(square 0 51.3)]"
} | collection >"$dir/wards.geojson"
html "$dir/map.html" --outlines "$dir/wards.geojson"
says 'On the map'
says 'North is up'
says '<title>⁨North &quot;gate&quot; &amp; more⁩: 5 needs, 5 of them unanswered; 5 voices</title>'
says '<title>⁨&lt;b&gt;The well&lt;/b&gt;⁩: 1 need, 1 of them unanswered; 0 voices</title>'
says '<title>⁨البئر⁩: 1 need'
says '1 more place has needs, without an outline of its own'
says_not '<title>⁨Abbey'
says_not '<b>The well'
says_not '<script'
python3 - "$dir/map.html" <<'PY'
import re
import sys

page = open(sys.argv[1], encoding="utf-8").read()
svg = re.search(r'<svg class="map".*?</svg>', page, re.S).group()
assert 'role="img"' in svg and 'aria-label="Map of 6 places' in svg
paths = re.findall(r'<path fill="([^"]+)" d="([^"]+)"', svg)
assert [fill for fill, _ in paths] == ["none", "#11475a", "#dbe9ec", "#dbe9ec"], paths

def rings(path):
    """Absolute corners of each ring."""
    for ring in path.rstrip("z").split("z"):
        start, steps = re.fullmatch(r"M(\d+ \d+)l([-\d ]+)", ring).groups()
        x, y = map(int, start.split())
        numbers = list(map(int, re.findall(r"-?\d+", steps)))
        corners = [(x, y)]
        for dx, dy in zip(numbers[::2], numbers[1::2]):
            x, y = x + dx, y + dy
            corners.append((x, y))
        yield corners

gate = list(rings(paths[1][1]))
assert len(gate) == 2 and len(gate[0]) == 4 and len(gate[1]) == 3, gate
assert len(list(rings(paths[0][1]))) == 3  # both Abbeys, and the one that has no name
# North is up, and a degree of longitude is shorter than one of latitude.
well = list(rings(paths[2][1]))
assert len(well) == 2
tops = [min(y for _, y in ring) for ring in (gate[0], well[0])]
assert tops[0] < tops[1], tops
width = max(x for x, _ in gate[0]) - min(x for x, _ in gate[0])
height = max(y for _, y in gate[0]) - min(y for _, y in gate[0])
assert 0.61 < width / height < 0.64, (width, height)  # cos 51.45°
PY
checks=$((checks + 1))

# A coast of 120,000 points is drawn with fewer.
python3 - >"$dir/coast.geojson" <<'PY'
import json
import math

ring = [[i / 1000 % 60 / 600 + 0.0002 * math.sin(i), 51.5 + i / 1e6 + 0.0002 * math.cos(i * 1.7)] for i in range(120000)]
print(json.dumps({"type": "FeatureCollection", "features": [
    {"type": "Feature", "properties": {"code": "E1"}, "geometry": {"type": "Polygon", "coordinates": [ring + ring[:1]]}}]}))
PY
html "$dir/coast.html" --outlines "$dir/coast.geojson"
[ "$(wc -c <"$dir/coast.html")" -lt 220000 ] || fail 'a page that is too large'
checks=$((checks + 1))

# --- what is no file of outlines ---

: >"$dir/out"

# refuses SENTENCE TEXT
refuses() {
    checks=$((checks + 1))
    printf '%s' "$2" >"$dir/bad.geojson"
    rm -f "$dir/bad.html"
    "$folkmootctl" --socket "$dir/socket" picture 'Nettle Valley' --html "$dir/bad.html" \
        --outlines "$dir/bad.geojson" >/dev/null 2>"$dir/err" && fail "a page of $2"
    complains "$1"
    [ ! -e "$dir/bad.html" ] || fail "a page, all the same, of $2"
}
# of GEOMETRY: a collection of one feature, which is called E1.
of() {
    printf '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"a":"E1"},"geometry":%s}]}' "$1"
}
refuses 'it is no JSON' 'code,name'
refuses 'it is no JSON' "$(printf '[%.0s' {1..2000})"
refuses 'it has no outlines' '{}'
refuses 'it has no outlines' '[1,2,{"features":[]}]'
refuses 'it has no outlines' '{"type":"FeatureCollection","features":{"a":1}}'
refuses 'it has no outlines' "$(of '{"type":"Point","coordinates":[0,0]}')"
refuses 'it has no outlines' "$(of null)"
refuses 'feature 1: a ring of a polygon needs at least four' "$(of '{"type":"Polygon","coordinates":[[[0,0],[1,1],[0,0]]]}')"
refuses 'feature 1: a ring of a polygon needs' "$(of '{"type":"MultiPolygon","coordinates":[[[[0,0],[1,1],[0,0]]]]}')"
refuses 'feature 1: a position that is not' "$(of '{"type":"Polygon","coordinates":[{"a":1},2,"b"]}')"
refuses 'feature 1: a position that is not' "$(of '{"type":"Polygon","coordinates":[[[0],[1,1],[1,0],[0,0]]]}')"
refuses 'feature 1: a position that is not' "$(of '{"type":"Polygon","coordinates":[[[0,"1"],[1,1],[1,0],[0,0]]]}')"
refuses 'feature 1: positions have to be longitude and latitude' \
    "$(of '{"type":"Polygon","coordinates":[[[531000,181000],[531000,181500],[532000,181000],[531000,181000]]]}')"
refuses 'positions have to be' "$(of '{"type":"Polygon","coordinates":[[[1e999,0],[1,1],[1,0],[0,0]]]}')"
refuses 'no property of exactly one feature is a place of the picture' \
    "$(of '{"type":"Polygon","coordinates":[[[0,0],[0,1],[1,0],[0,0]]]}' | sed 's/E1/E77/')"
refuses 'no property of exactly one feature' \
    '{"features":[{"properties":["E1"],"geometry":{"type":"Polygon","coordinates":[]}},3,null]}'
refuses 'more than 5,000 features' "{\"features\":[0$(printf ',0%.0s' {1..5000})]}"
python3 -c 'print("[" + "0," * 4000001 + "0]")' >"$dir/fine.geojson"
"$folkmootctl" --socket "$dir/socket" picture 'Nettle Valley' --html "$dir/fine.html" \
    --outlines "$dir/fine.geojson" >/dev/null 2>"$dir/err" && fail 'a page of too much'
complains 'its outlines are too fine'
checks=$((checks + 1))
"$folkmootctl" --socket "$dir/socket" picture 'Nettle Valley' --outlines "$dir/wards.geojson" >/dev/null 2>"$dir/err" &&
    fail 'a map without a page'
complains '--outlines draws a map on the page'
# A place on a point of the map is drawn all the same.
{
    feature '{"a":"E1"}' Polygon '[[[0,0],[0,0],[0,0],[0,0]]]'
} | collection >"$dir/point.geojson"
html "$dir/point.html" --outlines "$dir/point.geojson"
says 'd="M0 0h1v1h-1z"'
echo "$checks checks"
