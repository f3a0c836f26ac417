#!/usr/bin/env python3
"""What the imports of ../shared/data must come to, counted from the files alone.

usage: expect.py grants OLDER.json... NEWEST.json    of the newest, after the others
       expect.py pins OLDER NEWER                    of the newer one ("-" for none before it)
       expect.py requests OLDER NEWER                the same
       expect.py voices VOTES.csv | MATRIX.csv
       expect.py look grants|pins FILE               names ten records to look at and their values

It shares nothing with the program: no mapping is read. One line of JSON, as `folkmoot import --json`
has it, as far as it says something; `look` prints lines of RECORD, FIELD and VALUE between tabs.
"""
import csv
import json
import pathlib
import sys

csv.field_size_limit(1 << 24)


def rows(path):
    if path == "-":
        return []
    raw = pathlib.Path(path).read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("cp1252")
    head = text.split("\n", 1)[0]
    lines = csv.reader(text.splitlines(keepends=True), delimiter="\t" if "\t" in head else ",")
    names = next(lines)
    return [dict(zip(names, (cell.strip() for cell in row))) for row in lines if row]


# --- one thing over time: what was said of it last, for an empty cell says nothing ---

class Said:
    def __init__(self):
        self.fields = {}

    def say(self, key, fields, near=lambda a, b: a == b):
        fields = {k: v for k, v in fields.items() if v}
        if key not in self.fields:
            self.fields[key] = fields
            return "added"
        had = self.fields[key]
        news = {k: v for k, v in fields.items() if not near(had.get(k), v)}
        self.fields[key] = {**had, **news}
        return "edited" if news else "unchanged"


def count(counts, kind, done):
    counts.setdefault(kind, {"added": 0, "edited": 0, "unchanged": 0})[done] += 1


# --- grants ---

def grant_fields(g):
    place = (g.get("beneficiaryLocation") or [{}])[0]
    plan = (g.get("plannedDates") or [{}])[0]
    where = (place.get("name", "").strip(), place.get("geoCode", "").strip())
    return {"title": g["title"].strip(), "words": g["description"].strip(),
            "amount": f"{g['amountAwarded']:.2f}", "currency": g["currency"],
            "due": plan.get("endDate", "")[:10], "place": where if any(where) else None,
            "party": g["fundingOrganization"][0]["id"], "about": g["recipientOrganization"][0]["id"]}


def party_rows(g):
    funder, recipient = g["fundingOrganization"][0], g["recipientOrganization"][0]
    yield funder["id"].strip(), {"title": funder["name"].strip(), "kind": "funder"}
    yield recipient["id"].strip(), {"title": recipient["name"].strip(), "kind": "frontline",
                                    "words": recipient.get("description", "").strip()}


def grants(paths):
    said, before, ever, counts, answer = Said(), {}, set(), {}, {}
    for path in paths:
        now = {g["id"]: g for g in json.loads(pathlib.Path(path).read_bytes())["grants"]}
        both = now.keys() & before.keys()
        changed = sum(now[i] != before[i] for i in both)
        answer = {"rows": {"new": len(now.keys() - ever), "back": len(now.keys() & ever - before.keys()),
                           "changed": changed, "unchanged": len(both) - changed},
                  "gone": len(before.keys() - now.keys())}
        counts, told = {}, set()
        for g in now.values():
            count(counts, "commitment", said.say(("c", g["id"]), grant_fields(g)))
            for key, fields in party_rows(g):
                if key not in told:
                    told.add(key)
                    count(counts, "party", said.say(("p", key), fields))
        ever |= now.keys()
        before = now
    return {**answer, "kinds": counts}


# --- pins ---

def pin_fields(r):
    x, y = r.get("LONGITUDE VZ", r.get("X")), r.get("LATITUDE VZ", r.get("Y"))
    return {"title": r["REQUESTTYPE"], "words": r["COMMENTS"], "affected": r["USERTYPE"],
            "place": (float(y), float(x), r["STREETSEGID"])}


def is_odd(r):
    latitude, longitude, _ = pin_fields(r)["place"]
    return not (38.79 <= latitude <= 39.00 and -77.12 <= longitude <= -76.90)


def near(a, b):
    if not isinstance(a, tuple):
        return a == b
    return a[2] == b[2] and abs(a[0] - b[0]) < 2e-6 and abs(a[1] - b[1]) < 2e-6


def pins(paths):
    said, ever, before, counts, now = Said(), set(), set(), {}, []
    for path in paths:
        now, counts = rows(path), {}
        before, ever = ever, ever | {r["GLOBALID"] for r in now}
        for r in now:
            count(counts, "need", said.say(r["GLOBALID"], pin_fields(r), near))
    ids = {r["GLOBALID"] for r in now}
    return {"kinds": counts, "odd_pins": sum(map(is_odd, now)), "gone": len(before - ids), "left_out": 0,
            "added": len(ids - before)}


# --- requests of two years ---

STANDS_IN_THE_WAY = ("funding is not available at this time", "funding cannot be determined",
                     "does not/cannot give priority", "not a budget request")
PROMISED = ("agrees with this request, will accommodate", "already been funded")


def answer_kind(r):
    answer = r["agyresponsecat"]
    if not answer:
        return None
    if any(words in answer for words in STANDS_IN_THE_WAY):
        return "constraint"
    return "commitment" if any(words in answer for words in PROMISED) else "remark"


def requests(paths):
    numbers, agencies, twice, kinds, waiting, joined = set(), set(), 0, {}, 0, 0
    for path in paths:
        kinds, old, waiting, joined, twice = {}, set(numbers), 0, 0, 0
        told, known = set(), set(agencies)
        for r in rows(path):
            number, parent = r["trackingnum"], r["parent_tracking_code"]
            if number in numbers - old:
                twice += 1
                continue
            numbers.add(number)
            for kind in ["need", answer_kind(r)] + ["remark"] * bool(r["supporters1"] or r["supporters2"]):
                if kind:
                    count(kinds, kind, "added")
            if r["agencyacro"] not in told:
                count(kinds, "party", "unchanged" if r["agencyacro"] in known else "added")
            told.add(r["agencyacro"])
            agencies.add(r["agencyacro"])
            if parent:
                joined += parent in old
                waiting += parent not in old
    return {"kinds": kinds, "joined": joined, "waiting": waiting, "left_out": twice}


# --- votes ---

def voices(path):
    votes = rows(path)
    if "voter-id" in votes[0]:
        said = [(r["comment-id"], r["voter-id"], r["timestamp"], r["vote"]) for r in votes]
    else:
        said = [(c, r["participant"], 0, v) for r in votes for c, v in r.items() if c.isdigit() and v]
    return {"voices": len(set(said)), "unchanged": len(said) - len(set(said)), "left_out": 0}


# --- a closer look ---

def look(kind, path):
    if kind == "grants":
        source = json.loads(pathlib.Path(path).read_bytes())["grants"]
        for g in source[::len(source) // 10]:
            fields = grant_fields(g)
            amount = fields["amount"].removesuffix(".00")
            for name, value in (("title", fields["title"]), ("words", fields["words"]), ("amount", amount),
                                ("currency", fields["currency"]), ("due", fields["due"])):
                if value:
                    print(g["id"], name, json.dumps(value), sep="\t")
    else:
        source = [r for r in rows(path) if "'" in r["COMMENTS"] or "\u2019" in r["COMMENTS"]]
        for r in source[::len(source) // 10]:
            print(f"street pins {r['GLOBALID']}", "words", json.dumps(r["COMMENTS"]), sep="\t")


def main():
    what, paths = sys.argv[1], sys.argv[2:]
    if what == "look":
        look(*paths)
    else:
        answers = {"grants": grants, "pins": pins, "requests": requests, "voices": lambda p: voices(p[0])}
        print(json.dumps(answers[what](paths)))


main()
