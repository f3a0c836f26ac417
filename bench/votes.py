#!/usr/bin/env python3
"""Writes the votes of the benchmark's picture: a line each, NEED PERSON STANCE, numbers from 0 and 1 for, 2 against, 3 unsure.

    bench/votes.py DATA OUT

They are the votes of real people (pol.is, all conversations in DATA), those with a time in the order in which they were given. Somebody
who votes again is one voice. Where DATA is not there, as many are made by a rule, and the first line of what is printed says so.
"""
import csv
import glob
import gzip
import os
import random
import sys

STANCE = {"1": 1, "-1": 2, "0": 3}
AS_MANY = 412416


def timed(path):
    with gzip.open(path, "rt", encoding="utf-8", newline="") as rows:
        votes = [(int(row["timestamp"]), row["comment-id"], row["voter-id"], STANCE[row["vote"]]) for row in csv.DictReader(rows)]
    for _, need, person, stance in sorted(votes):
        yield need, person, stance


def matrix(path):
    with gzip.open(path, "rt", encoding="utf-8", newline="") as rows:
        for row in csv.DictReader(rows):
            for need, vote in row.items():
                if need.isdigit() and vote in STANCE:
                    yield need, row["participant"], STANCE[vote]


def real(folder):
    needs, persons = {}, {}
    for conversation in sorted(glob.glob(os.path.join(folder, "*", ""))):
        path = os.path.join(conversation, "votes.csv.gz")
        votes = timed(path) if os.path.exists(path) else matrix(os.path.join(conversation, "participants-votes.csv.gz"))
        for need, person, stance in votes:
            yield (needs.setdefault((conversation, need), len(needs)), persons.setdefault((conversation, person), len(persons)), stance)


def made_up():
    dice = random.Random(412)
    for _ in range(AS_MANY):
        yield min(int(dice.paretovariate(0.5)), 2400), dice.randrange(7000), dice.choice((1, 1, 2, 3))


def main():
    data, out = sys.argv[1:]
    folder = os.path.join(data, "polis")
    if not os.path.isdir(folder):
        print("VOTES MADE BY A RULE: there is no " + folder)
    with open(out, "w", encoding="utf-8") as file:
        for need, person, stance in real(folder) if os.path.isdir(folder) else made_up():
            file.write(f"{need} {person} {stance}\n")


main()
