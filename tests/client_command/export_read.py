#!/usr/bin/env python3
"""Reads exports back with Python's own readers and compares them with golden files.

usage: export_read.py EXPORTS GOLDEN

Ids are random, so each is replaced by what its record says, and records are sorted by that.
FOLKMOOT_GOLDEN=write writes the golden files anew: look at the difference.
"""
import csv
import io
import json
import os
import re
import sqlite3
import sys

exports, golden = sys.argv[1:]


def must(good, what):
    if not good:
        sys.exit("export_read.py: " + what)


def raw(name):
    with open(os.path.join(exports, name), "rb") as file:
        data = file.read()
    must(b"\0" not in data or name.endswith(".sqlite"), name + " has a zero byte")
    return data


def lines_of(name):
    text = raw(name).decode("utf-8")
    must(text == "" or text.endswith("\n"), name + " does not end with a line's end")
    return [json.loads(line) for line in text.split("\n")[:-1]]


def rows_of(name):
    text = raw(name).decode("utf-8")
    must(text.endswith("\r\n"), name + " does not end with CR LF")
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    must(all(len(row) == len(rows[0]) for row in rows), name + " has rows of several lengths")
    return rows


def undo(cell):
    """A cell as it was before it was made safe."""
    return cell[1:] if re.match(r"'+[=+\-@\t\r]", cell) else cell


records = lines_of("all.jsonl")
names = {}
for record in records:
    fields = record["fields"]
    what = fields.get("title") or fields.get("words") or fields.get("stance") or "?"
    names[record["id"]] = "<%s %s>" % (record["kind"], "A crossing" if "crossing" in what else what)


def named(text):
    text = re.sub("[0-9a-f]{32}", lambda m: names.get(m.group(), "<somebody>"), text)
    return re.sub(r"\b[0-9a-f]{24}\b", "<device>", text)


def compare(name, text):
    path = os.path.join(golden, name)
    if os.environ.get("FOLKMOOT_GOLDEN") == "write":
        with open(path, "w", encoding="utf-8", newline="") as file:
            file.write(text)
    with open(path, encoding="utf-8", newline="") as file:
        must(file.read() == text, name + " is not as the golden one: \n" + text)


def as_lines(values):
    return "".join(line + "\n" for line in sorted(values))


# Times of what was edited or voiced after, which are now.
def timeless(text):
    return re.sub(r"20(?!26-0[39]|26-10)\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", "<now>", text)


def settled(value):
    """Without ids and times that differ each time, and without an order that hangs on them."""
    text = timeless(named(json.dumps(value, ensure_ascii=False, sort_keys=True)))
    return text


# What stands first in a tension hangs on the clock of the test alone, so that it is the same each time.
compare("all.jsonl", as_lines(settled(record) for record in records))

# --- CSV ---

kinds = ["need", "voice", "constraint", "solution", "commitment", "outcome", "remark", "party", "same_as"]
for kind in kinds:
    rows = rows_of(kind + ".csv")
    head = rows[0]
    there = [record for record in records if record["kind"] == kind]
    must(len(rows) == 1 + len(there), kind + ".csv does not have all")
    by_id = {record["id"]: record for record in there}
    for row in rows[1:]:
        cells = dict(zip(head, row))
        record = by_id[cells["id"]]
        for text in ("words", "title", "language", "whose", "conditions"):
            if text in head and text not in record["tensions"]:
                must(undo(cells[text]) == record["fields"].get(text, ""),
                     "%s is %r in CSV and %r in JSON" % (text, cells[text], record["fields"].get(text)))
        must(all(not re.match(r"[=+@\t\r]", cell) for cell in row), "a formula in %s.csv" % kind)
        must(cells["tension"].split(" | ") == (sorted(record["tensions"], key=head.index) or [""]),
             "tensions differ: " + cells["tension"])
        voices = record.get("voices", {"for": "", "against": "", "unsure": ""})
        must([cells["voices_" + stance] for stance in voices] == [str(n) for n in voices.values()],
             "voices differ")
    compare(kind + ".csv", timeless(named("\n".join([",".join(head)] + sorted(map(repr, rows[1:]), key=named)) + "\n"))
            if kind != "voice" else ",".join(head) + "\n")

must(b'"\'=HYPERLINK(""http://x"")"' in raw("need.csv"), "a formula is not defused")
must(b'"\'\'=2+2"' in raw("need.csv"), "what looks defused is not defused once more")
must(b'"\'-1\ttab"' in raw("need.csv"), "a minus is not defused")
hxl = rows_of("hxl.csv")
must(hxl[0] == rows_of("need.csv")[0] and len(hxl) == 1 + len(rows_of("need.csv")), "an HXL row is one more")
must(all(re.fullmatch(r"#[a-z][a-z0-9_]*(\+[a-z][a-z0-9_]*)*", tag) for tag in hxl[1]), "no HXL tags: %s" % hxl[1])

crossing = next(r for r in records if "crossing" in r["fields"].get("title", "") and r["kind"] == "need")
must(crossing["voices"] == {"for": 6, "against": 1, "unsure": 0}, "voices on the crossing")
must({v["value"] for v in crossing["tensions"]["title"]} == {"A safe crossing", "A crossing | now"}, "the tension")
must(crossing["fields"]["category"] == ["transport", "a | b", "safety"], "a value of a set twice")
must(len({v["device"] for v in crossing["tensions"]["title"]}) == 2, "whose values they are")
water = [r for r in records if "lean" in r["fields"].get("title", "")]
must(len(water) == 2 and water[0]["joined_id"] == water[1]["joined_id"], "joined needs have one joined_id")
must(water[0]["voices"] == water[1]["voices"] == {"for": 1, "against": 0, "unsure": 1}, "and one tally")
must(all(not {"speaker", "consent"} & set(r["fields"]) for r in records), "a speaker")

# --- outsiders ---

outside, public = lines_of("outside.jsonl"), lines_of("public.jsonl")
must(sorted(r["fields"]["title"] for r in outside if r["kind"] == "need") ==
     sorted([crossing["fields"]["title"], "معبر آمن"]), "needs for organisations")
must([r["fields"]["title"] for r in public if r["kind"] == "need"] == [crossing["fields"]["title"]],
     "needs for all")
must(not {r["id"] for r in outside} & set(names), "a true id")
must(not {r["id"] for r in outside} & {r["id"] for r in public}, "two audiences can be compared")
must(not [r for r in outside if r["kind"] == "same_as"], "who joined what")
text = raw("outside.jsonl").decode()
must('"device"' not in text and "T10:00" not in text, "an author or a time of day")
must("spoken" not in text, "a voice that nobody opened")
must("2026-03-02T00:00:00Z" in text, "the week's Monday")
must([r["voices"] for r in outside if "voices" in r] == [{"for": 5, "against": 0, "unsure": 0}], "counts of outsiders")
must([r["id"] for r in outside] == sorted(r["id"] for r in outside if r["kind"] == "need") +
     sorted(r["id"] for r in outside if r["kind"] == "commitment") +
     sorted(r["id"] for r in outside if r["kind"] == "party"), "an order that tells who made what")

# --- GeoJSON ---

points = json.loads(raw("all.geojson"))
must(points["type"] == "FeatureCollection", "no collection")
for feature in points["features"]:
    must(feature["type"] == "Feature" and feature["geometry"]["type"] == "Point", "no point")
    must(list(feature["properties"]) == rows_of("need.csv")[0], "properties are not the columns")
    must(feature["properties"]["longitude"] == feature["geometry"]["coordinates"][0], "not longitude first")
compare("all.geojson", as_lines(settled(feature) for feature in points["features"]))

# --- 360Giving: what its schema requires ---


def check_grant(grant):
    for name in ("id", "title", "description", "currency", "awardDate"):
        must(isinstance(grant.get(name), str) and grant[name], "a grant without " + name)
    must(isinstance(grant["amountAwarded"], (int, float)), "an amount that is no number")
    must(re.fullmatch("[A-Z]{3}", grant["currency"]), "no currency")
    for name in ("recipientOrganization", "fundingOrganization"):
        must(len(grant[name]) == 1, "not one " + name)
        for part in ("id", "name"):
            must(isinstance(grant[name][0].get(part), str) and grant[name][0][part], name + " without " + part)


grants = json.loads(raw("grants.json"))["grants"]
for grant in grants:
    check_grant(grant)
    must(re.fullmatch(r"\d{4}-\d\d-\d\d", grant["awardDate"]), "no day")
    must(grant["id"].startswith("360G-moor-"), "no prefix")
compare("grants.json", as_lines(settled(grant) for grant in grants))
outside_grants = json.loads(raw("outside.json"))["grants"]
must(len(outside_grants) == 1, "the public grant")
check_grant(outside_grants[0])
must(outside_grants[0]["awardDate"] == "2026-03", "a day that outsiders are not told")

# --- SQLite ---

db = sqlite3.connect("file:%s?mode=ro" % os.path.join(exports, "all.sqlite"), uri=True)
must(db.execute("PRAGMA integrity_check").fetchone() == ("ok",), "a damaged database")
must(db.execute("SELECT count(*) FROM records").fetchone()[0] == len(records), "not all records")
must(dict(db.execute("SELECT id, voices_for FROM records WHERE kind = 'need'")) ==
     {r["id"]: r.get("voices", {}).get("for") for r in records if r["kind"] == "need"}, "voices of SQLite")
must(db.execute("SELECT count(*), sum(stance = 'for') FROM voices WHERE on_id = ?", [crossing["id"]]).fetchone()
     == (7, 6), "the table voices")
must({v for v, in db.execute("SELECT value FROM edits WHERE id = ? AND field = 'title' AND tension", [crossing["id"]])}
     == {"A safe crossing", "A crossing | now"}, "a tension in edits")
must(db.execute("SELECT count(*) FROM edits WHERE id = ? AND field = 'title' AND holds", [crossing["id"]]).fetchone()[0]
     == 1, "one value holds")
must(db.execute("SELECT count(*) FROM edits WHERE field IN ('speaker', 'consent')").fetchone()[0] == 0, "a speaker")
compare("sqlite.txt", as_lines(
    settled(row) for row in db.execute("SELECT * FROM links WHERE from_kind != 'same_as'")) + as_lines(
    row[0] for row in db.execute("SELECT sql FROM sqlite_schema")))
