#!/usr/bin/env python3
"""Makes a table of what the benchmark measured: medians, ratios to what was measured beside them, goals met or not.

    bench/table.py FIGURES            the table, as in docs/performance.md
    bench/table.py --add NOW FIGURES  puts NOW's figures in the place of FIGURES' of the same rows, then the table of NOW
    bench/table.py --into FILE FIGURES  writes the table between the marks in FILE
"""
import json
import os
import statistics
import sys


def read(path):
    figures = {}
    if os.path.exists(path):
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                one = json.loads(line)
                figures.setdefault((one["row"], one["figure"]), []).append(one["value"])
    return figures


def write(path, figures):
    with open(path + ".new", "w", encoding="utf-8") as out:
        for (row, figure), values in figures.items():
            for value in values:
                out.write(json.dumps({"row": row, "figure": figure, "value": value}) + "\n")
    os.replace(path + ".new", path)


def shown(value):
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def wanted(goal):
    if "most" in goal:
        return "≤ " + shown(goal["most"])
    if "least" in goal:
        return "≥ " + shown(goal["least"])
    if "ratio_most" in goal:
        return f"≤ {goal['ratio_most']:g} ×"
    return f"≥ {goal['ratio_least']:g} ×"


def is_met(goal, value, ratio):
    checks = [("most", value, 1), ("least", value, -1), ("ratio_most", ratio, 1), ("ratio_least", ratio, -1)]
    for key, is_value, sign in checks:
        if key in goal and (is_value is None or sign * is_value > sign * goal[key]):
            return False
    return True


def compare(values, bases):
    """The median of ratios, run by run: what slows a run slows what is measured beside it."""
    if len(values) == len(bases):
        return statistics.median(value / base for value, base in zip(values, bases))
    return statistics.median(values) / statistics.median(bases)


def lines(goals, figures):
    yield ["work", "unit", "others", "goal", "ours (median of runs)", "beside it, same run", "ratio", "met"]
    work = ""
    for goal in goals:
        work = goal["work"] or work
        values = figures.get((goal["row"], goal["figure"]))
        if not values:
            continue
        value = statistics.median(values)
        spread = f" ({len(values)}: {shown(min(values))}–{shown(max(values))})" if len(values) > 1 else ""
        beside, ratio = "", None
        if "baseline" in goal and tuple(goal["baseline"][:2]) in figures:
            bases = figures[tuple(goal["baseline"][:2])]
            ratio = compare(values, bases)
            beside = f"{goal['baseline'][2]}: {shown(statistics.median(bases))}"
        yield [work, goal["unit"], goal.get("others", ""), wanted(goal), shown(value) + spread, beside,
               f"{ratio:.3g}" if ratio is not None else "", "met" if is_met(goal, value, ratio) else "NOT MET"]


# What of ours is beside what of theirs: they sync without TLS, and must connect for ten new ones.
BESIDE = {"push": ("push", "cold"), "pull": ("pull", "cold"), "ten": ("ten", "cold"), "ten_live": ("ten", "warm"), "nothing": ("nothing", "warm")}
PEERS = {"pouchdb": "PouchDB, express-pouchdb", "yjs": "Yjs, y-websocket", "automerge": "automerge-repo"}


def peer_lines(figures):
    yield ["other system, same line and records, no TLS", "work", "s", "bytes", "ours: s", "bytes", "s, ratio", "bytes, ratio"]
    for row, name in PEERS.items():
        for work, (our_row, how) in BESIDE.items():
            theirs = [figures.get((row, f"{work}_{unit}")) for unit in ("seconds", "bytes")]
            ours = [figures.get((our_row, f"{how}_{unit}")) for unit in ("seconds", "bytes")]
            if all(theirs) and all(ours):
                theirs, ours = ([statistics.median(one) for one in some] for some in (theirs, ours))
                ratios = [f"{their / our:.3g} ×" for their, our in zip(theirs, ours)]
                yield [name, work.replace("_", ", "), *map(shown, theirs), *map(shown, ours), *ratios]


def markdown(rows):
    rows = list(rows)
    if len(rows) == 1:
        return ""
    out = ["| " + " | ".join(row) + " |" for row in rows]
    out.insert(1, "|" + "---|" * len(rows[0]))
    return "\n".join(out) + "\n"


def put_into(path, table):
    begin, end = "<!-- written by script/bench --docs -->\n", "<!-- until here -->\n"
    with open(path, encoding="utf-8") as file:
        text = file.read()
    head, rest = text.split(begin)
    tail = rest.split(end)[1]
    with open(path, "w", encoding="utf-8") as file:
        file.write(head + begin + "\n" + table + "\n" + end + tail)


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(here, "goals.json"), encoding="utf-8") as file:
        goals = json.load(file)
    figures = read(sys.argv[-1])
    if sys.argv[1] == "--add":
        now = read(sys.argv[2])
        rows = {row for row, _ in now}
        figures = {key: figures[key] for key in figures if key[0] not in rows} | now
        write(sys.argv[3], figures)
        goals = [goal for goal in goals if goal["row"] in rows]
    table = markdown(lines(goals, figures)) + "\n" + markdown(peer_lines(figures))
    if sys.argv[1] == "--into":
        put_into(sys.argv[2], table)
    else:
        print(table)


if __name__ == "__main__":
    main()
