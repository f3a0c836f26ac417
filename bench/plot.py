#!/usr/bin/env python3
"""Draws what the row "curves" measured as SVG, on logarithmic axes.

    bench/plot.py FIGURES FOLDER    writes FOLDER/performance-bytes.svg and FOLDER/performance-latency.svg
"""
import math
import os
import re
import statistics
import sys

from table import read

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 380, 70, 150, 40, 50
COLOURS = ["#1b6ca8", "#c8553d", "#588157"]


def series(figures, pattern):
    """Points (x, median) of the figures of "curves" whose name fits; x is the number in it."""
    points = []
    for (row, figure), values in figures.items():
        match = re.fullmatch(pattern, figure)
        if row == "curves" and match:
            points.append((int(match[1]), statistics.median(values)))
    return sorted(points)


def ticks(low, high):
    """Powers of ten, and where there are few of them 2 and 5 times those."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = (1,) if len(powers) > 4 else (1, 2, 5)
    return [step * 10.0**power for power in powers for step in steps if low <= step * 10.0**power <= high]


class Axis:
    def __init__(self, values, begin, end):
        self.low, self.high = min(values) * 0.9, max(values) * 1.1
        self.begin, self.end = begin, end

    def at(self, value):
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return self.begin + share * (self.end - self.begin)

    def ticks(self):
        return ticks(self.low, self.high)


def text(x, y, words, anchor="middle", more=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{more}>{words}</text>'


def draw(title, x_name, y_name, lines):
    xs = [x for _, points in lines for x, _ in points]
    ys = [y for _, points in lines for _, y in points]
    x_axis, y_axis = Axis(xs, LEFT, WIDTH - RIGHT), Axis(ys, HEIGHT - BOTTOM, TOP)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        text(LEFT, 22, title, "start", ' font-size="14"'),
        text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, x_name),
        text(16, HEIGHT / 2, y_name, more=f' transform="rotate(-90 16 {HEIGHT / 2:.0f})"'),
    ]
    for value in x_axis.ticks():
        x = x_axis.at(value)
        out.append(f'<path d="M{x:.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#ddd"/>')
        out.append(text(x, HEIGHT - BOTTOM + 16, f"{value:,g}"))
    for value in y_axis.ticks():
        y = y_axis.at(value)
        out.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        out.append(text(LEFT - 6, y + 4, f"{value:,g}", "end"))
    for (name, points), colour in zip(lines, COLOURS):
        places = [(x_axis.at(x), y_axis.at(y)) for x, y in points]
        path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
        out.append(f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places]
        out.append(text(places[-1][0] + 8, places[-1][1] + 4, name, "start", f' fill="{colour}"'))
    return "\n".join(out + ["</svg>", ""])


def write(path, svg):
    with open(path, "w", encoding="utf-8") as out:
        out.write(svg)


def main():
    figures, folder = read(sys.argv[1]), sys.argv[2]
    each = [
        (name, [(x, y / x) for x, y in series(figures, rf"batch_(\d+)_{figure}")])
        for name, figure in (("on the line", "bytes"), ("messages", "messages"))
    ]
    late = [(name, [(x + 1, y) for x, y in series(figures, rf"load_(\d+)_{name}_ms")]) for name in ("p50", "p99")]
    if not all(points for _, points in each + late):
        sys.exit("bench/plot.py: measure the row curves first: script/bench curves")
    write(os.path.join(folder, "performance-bytes.svg"),
          draw("Bytes of a record by the size of the push, warm connection", "records in the push", "bytes a record", each))
    write(os.path.join(folder, "performance-latency.svg"),
          draw("A sync with nothing new, by how many do it at once", "connections that sync without a pause", "ms", late))


main()
