#!/usr/bin/env bash
# What the admin is shown of what two volunteers gathered: in numbers, in a terminal, as a page.
# shellcheck source=tests/client_command/lib.sh
source "$(dirname "$0")/lib.sh" "$@"
need_hub
hub_start hub
hub_found
joined amina tomas

# need TITLE PLACE CATEGORY; voices TITLE STANCE N: so many new persons say so.
need() {
    run 0 add need --title "$1" --place "$2" --category "$3"
}
voices() {
    local i
    for ((i = 0; i < $3; i++)); do
        run 0 voice "$1" "$2" --person new
    done
}

use amina
need 'A <b>crossing</b> & lights' 'The gate' transport
need 'Clean water' 'The well' health
need 'معبر آمن' 'The gate' transport
voices 'A <b>crossing</b> & lights' for 4
voices 'A <b>crossing</b> & lights' against 2
voices 'Clean water' for 3
run 0 add solution --about 'Clean water' --title 'A new pump'
run 0 add commitment --about 'A new pump' --words 'We pay for it.' --due 2020-02-03
run 0 add constraint --about 'معبر آمن' --words 'No money' --nature financial
run 0 sync

# picture FILTER VALUE: of the answer.
picture() {
    checks=$((checks + 1))
    ctl picture 'Nettle Valley' >"$dir/out" 2>"$dir/err" || fail 'no picture'
    json "$1" "$2"
}
picture .total.unanswered 2
picture .total.commitment 1
picture .total.divided 1
picture '[.total.voices[] | .for] | add' 7
picture '.most_voiced[0].title' 'A <b>crossing</b> & lights'
picture '.most_voiced | length' 3
picture '.unanswered | map(.title) | index("Clean water")' null
picture '.blocked[0].constraints.financial' 1
picture '.counts | map(select(.place == "The gate"))[0].unanswered' 2
picture '.due[0].title' 'We pay for it.'
picture '[.heard[] | select(.place == "") | .persons] | add' 9

"$folkmootctl" --socket "$dir/socket" picture 'Nettle Valley' >"$dir/out" 2>"$dir/err"
says '3 needs, 9 voices on them; 9 persons have a voice on something'
says 'for 4, against 2, unsure 0'
says 'a commitment on'
says 'BY CATEGORY'
says '2020-02-03  We pay for it.'

# --- on a device that was told all but who the persons are ---

use tomas
run 0 sync
run 0 picture
says '3 needs, 9 voices on them; 9 persons have a voice on something'
says 'for 4, against 2, unsure 0; The gate, since'
says 'a commitment on'
says '2020-02-03  We pay for it.'
run 0 picture --json
json .total.unanswered 2
json '.["most-voiced"][0].title' 'A <b>crossing</b> & lights'
json '.blocked[0].constraints' 1
json .total.heard 9

# --- the page ---

"$folkmootctl" --socket "$dir/socket" picture 'Nettle Valley' --html "$dir/out" 2>"$dir/err"
says 'A &lt;b&gt;crossing&lt;/b&gt; &amp; lights'
says 'People are divided most over this'
says 'dir="auto"'
says 'معبر آمن'
says 'due 2020-02-03: overdue'
says_not '<script'
says_not '<b>crossing'
python3 - "$dir/out" <<'PY'
import sys
from html.parser import HTMLParser

class Page(HTMLParser):
    void = {"meta", "br", "rect"}
    def __init__(self):
        super().__init__()
        self.open = []
    def handle_starttag(self, tag, attrs):
        assert not any(name in ("src", "href") or name.startswith("on") for name, _ in attrs), attrs
        if tag not in self.void:
            self.open.append(tag)
    def handle_startendtag(self, tag, attrs):
        pass
    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag

page = Page()
page.feed(open(sys.argv[1], encoding="utf-8").read())
assert page.open == [], page.open
PY
checks=$((checks + 1))
"$folkmootctl" --socket "$dir/socket" picture 'Nettle Valley' --html "$dir/no/where" 2>"$dir/err" &&
    fail 'written nowhere'
complains 'cannot write'
echo "$checks checks"
