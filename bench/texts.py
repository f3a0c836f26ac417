#!/usr/bin/env python3
"""Writes the texts that the benchmark's records hold, one a line, each of about 450 bytes.

    bench/texts.py DATA OUT
    bench/texts.py --made OUT    by the rule in any case: what fixed scenarios hold, everywhere the same

They are what New York's community boards wrote (nyc-cbbr in DATA): each explanation once, in the order of publication, joined and
cut at the last word before 450 bytes. Where DATA is not there, texts are made by a rule, the first line of what is printed
says so, and figures of bytes mean little: such texts pack otherwise than people's.
"""
import csv
import gzip
import os
import random
import sys

BYTES = 450


def explanations(folder):
    seen = set()
    for year in ("2021", "2022"):
        with gzip.open(os.path.join(folder, f"fy{year}_requests.csv.gz"), "rt", encoding="utf-8", newline="") as rows:
            for row in csv.DictReader(rows):
                text = " ".join(row["explanation"].split())
                if text and text not in seen:
                    seen.add(text)
                    yield text


def made_up():
    dice = random.Random(450)
    words = ["".join(dice.choice("aeioubcdfghlmnprst") for _ in range(dice.randint(2, 9))) for _ in range(4000)]
    for _ in range(9000):
        yield " ".join(words[min(int(dice.paretovariate(0.7)), 3999)] for _ in range(45))


def cut(sentences):
    text = ""
    for sentence in sentences:
        text = f"{text} {sentence}".lstrip()
        while len(text.encode()) > BYTES:
            head = text.encode()[:BYTES].decode(errors="ignore")
            head = head[: head.rfind(" ")] if " " in head else head
            yield head
            text = text[len(head):].lstrip()


def main():
    data, out = sys.argv[1:]
    folder = os.path.join(data, "nyc-cbbr")
    real = os.path.isdir(folder)
    if not real and data != "--made":
        print("TEXTS MADE BY A RULE: there is no " + folder + "; figures of bytes are not those of people's words")
    with open(out, "w", encoding="utf-8") as file:
        for text in cut(explanations(folder) if real else made_up()):
            file.write(text + "\n")


main()
