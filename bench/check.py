#!/usr/bin/env python3
"""Compares what the row "fixed" measured with what is expected.

    bench/check.py FIGURES EXPECTED             exits with 1 where a figure is worse than it may be
    bench/check.py --expect FIGURES EXPECTED    writes what was measured as what is expected

Better is never wrong, but said, so that what is expected can be made stricter. Instructions hang on the compiler: where it is
another than the one of EXPECTED they are shown and not judged.
"""
import json
import subprocess
import sys

# In the cold sync the end of the connection before may cross its beginning or not: a turn more or less.
WITHIN = {"cold_turns": 0.25, "instructions": 0.04, "payload": 0.02, "messages": 0.02, "requests": 0, "turns": 0, "commits": 0}


def kind(figure):
    return next((word for word in WITHIN if figure.endswith(word)), None)


def compiler():
    return subprocess.run(["cc", "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]


def read(path):
    with open(path, encoding="utf-8") as lines:
        measured = [json.loads(line) for line in lines]
    return {one["figure"]: one["value"] for one in measured if one["row"] == "fixed" and kind(one["figure"])}


def expect(figures, path):
    with open(path, "w", encoding="utf-8") as out:
        json.dump({"compiler": compiler(), "figures": figures}, out, indent=1)
        out.write("\n")


def judge(figure, value, expected, same_compiler):
    within = WITHIN[kind(figure)]
    if kind(figure) == "instructions" and not same_compiler:
        return "shown"
    if value > expected * (1 + within):
        return "WORSE"
    return "better" if value < expected * (1 - within) else "as expected"


def main():
    if sys.argv[1] == "--expect":
        expect(read(sys.argv[2]), sys.argv[3])
        return 0
    figures = read(sys.argv[1])
    with open(sys.argv[2], encoding="utf-8") as file:
        expected = json.load(file)
    same = expected["compiler"] == compiler()
    worse = 0
    for figure, value in expected["figures"].items():
        if figure not in figures:
            print(f"{figure}: not measured")
            worse += kind(figure) != "instructions"
            continue
        said = judge(figure, figures[figure], value, same)
        worse += said == "WORSE"
        if said != "as expected":
            print(f"{figure}: {figures[figure]:g}, expected {value:g}: {said}")
    print(f"bench: {len(expected['figures'])} figures, {worse} worse than they may be")
    if worse:
        print("bench: what is worse for a good reason becomes expected by script/bench --expect; say the reason in the commit")
    return 1 if worse else 0


sys.exit(main())
