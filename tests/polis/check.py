#!/usr/bin/env python3
"""What the tallies must be, counted with a dictionary: one person, one voice, latest stance.

usage: folkmoot list need --json | check.py CONVERSATION_FOLDER
"""
import csv
import gzip
import json
import pathlib
import sys

folder = pathlib.Path(sys.argv[1])
said = {r["comment-id"]: int(r["timestamp"]) for r in csv.DictReader(open(folder / "comments.csv"))}
latest = {}
if (folder / "votes.csv.gz").exists():
    for r in csv.DictReader(gzip.open(folder / "votes.csv.gz", "rt")):
        key, vote = (r["comment-id"], r["voter-id"]), (int(r["timestamp"]), int(r["vote"]))
        latest[key] = max(latest.get(key, vote), vote)
else:
    for r in csv.DictReader(gzip.open(folder / "participants-votes.csv.gz", "rt")):
        for statement in said:
            if r.get(statement):
                latest[statement, r["participant"]] = (said[statement], int(r[statement]))

expected = {statement: [0, 0, 0] for statement in said}
for (statement, _), (_, vote) in latest.items():
    expected[statement][{1: 0, -1: 1, 0: 2}[vote]] += 1

needs = json.load(sys.stdin)["records"]
found = {n["title"].removeprefix("Statement "): [n["tally"][k] for k in ("for", "against", "unsure")]
         for n in needs}
wrong = [s for s in expected if found.get(s) != expected[s]]
for s in wrong[:5]:
    print(f"statement {s}: expected {expected[s]}, found {found.get(s)}", file=sys.stderr)
if wrong or len(needs) != len(expected):
    sys.exit(f"{len(wrong)} of {len(expected)} tallies are wrong; {len(needs)} needs")
print(f"{len(expected)} tallies of {len(latest)} voices are right")
