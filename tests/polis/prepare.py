#!/usr/bin/env python3
"""Deals a pol.is conversation to five volunteers, as CSV files for `folkmoot import`.

usage: prepare.py CONVERSATION_FOLDER OUT_FOLDER

Writes needs.csv (every statement) and votes-D-C.csv: the chunk C (1..4) of what device D (1..5)
heard. One row in six is heard by two devices, one in twelve is dealt twice to the same device, and
all are shuffled, so that repeats, overlaps and disorder are there. The same seed every time.
"""
import csv
import datetime
import gzip
import hashlib
import pathlib
import random
import sys

DEVICES, CHUNKS = 5, 4
STANCES = {"1": "for", "0": "unsure", "-1": "against"}
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def iso(ms):
    second = datetime.datetime.fromtimestamp(int(ms) // 1000, datetime.timezone.utc)
    return second.strftime("%Y-%m-%dT%H:%M:%S") + f".{int(ms) % 1000:03d}Z"


def card(folder, voter):
    number = int.from_bytes(hashlib.sha256(f"{folder.name}/{voter}".encode()).digest()[:17], "big")
    return "".join(ALPHABET[number >> (5 * i) & 31] for i in range(26))


def votes(folder, statements):
    """(statement, voter, stance, ms) of every vote row; without a time, the statement's."""
    if (folder / "votes.csv.gz").exists():
        for row in csv.DictReader(gzip.open(folder / "votes.csv.gz", "rt", encoding="utf-8")):
            yield row["comment-id"], row["voter-id"], row["vote"], row["timestamp"]
        return
    matrix = gzip.open(folder / "participants-votes.csv.gz", "rt", encoding="utf-8")
    for row in csv.DictReader(matrix):
        for statement, value in row.items():
            if statement in statements and value:
                yield statement, row["participant"], value, statements[statement]


def deal(rows):
    chance = random.Random(2050)
    hands = [[] for _ in range(DEVICES)]
    for row in rows:
        first = chance.randrange(DEVICES)
        hands[first].append(row)
        if chance.randrange(6) == 0:
            hands[(first + 1 + chance.randrange(DEVICES - 1)) % DEVICES].append(row)
        if chance.randrange(12) == 0:
            hands[first].append(row)
    for hand in hands:
        chance.shuffle(hand)
    return hands


def write(path, header, rows):
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


def main():
    folder, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    comments = list(csv.DictReader(open(folder / "comments.csv", encoding="utf-8")))
    statements = {row["comment-id"]: row["timestamp"] for row in comments}
    write(out / "needs.csv", ["kind", "key", "title", "words", "time"],
          [["need", f"statement {row['comment-id']}", f"Statement {row['comment-id']}",
            row["comment-body"].replace("\0", "") or "(empty)", iso(row["timestamp"])]
           for row in comments])
    rows = [["voice", f"Statement {statement}", card(folder, voter), STANCES[value], iso(ms)]
            for statement, voter, value, ms in votes(folder, statements)]
    for d, hand in enumerate(deal(rows), 1):
        for c in range(CHUNKS):
            write(out / f"votes-{d}-{c + 1}.csv", ["kind", "about", "person", "stance", "time"],
                  hand[c::CHUNKS])
    print(f"{len(comments)} statements, {len(rows)} votes")


main()
