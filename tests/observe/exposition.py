"""Prometheus' text format 0.0.4, read strictly, with the naming rules that this house keeps."""

import math
import re

NAME = re.compile(r"[a-z_:][a-z0-9_:]*\Z")
SAMPLE = re.compile(r"([a-z_:][a-z0-9_:]*)(?:\{(.*)\})? (\S+)\Z")
LABEL = re.compile(r'([a-z_][a-z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|\Z)')
LABELS = {"version", "method", "code", "reason", "outcome", "le"}
NOT_BASE_UNITS = re.compile(r"(milli|micro|_ms|_us|kilo|mega|_kb|_mb|minutes|hours|percent)")


class Unsound(Exception):
    pass


def read_labels(text):
    labels = {}
    at = 0
    while at < len(text):
        found = LABEL.match(text, at)
        if not found or found[1] in labels:
            raise Unsound(f"labels: {text}")
        labels[found[1]] = found[2]
        at = found.end()
    return labels


def read_sample(line):
    found = SAMPLE.match(line)
    if not found:
        raise Unsound(f"not a sample: {line}")
    return found[1], read_labels(found[2] or ""), float(found[3])


def family_of(name, families):
    for suffix in ("_bucket", "_sum", "_count"):
        base = name.removesuffix(suffix)
        if base != name and families.get(base, {}).get("type") == "histogram":
            return base
    return name


def read(text):
    """The families by name: type, help and samples (name, labels, value)."""
    families, current = {}, None
    if not text.endswith("\n"):
        raise Unsound("the last line has no end")
    for line in text.splitlines():
        if line.startswith("# HELP "):
            name, help_text = line[7:].split(" ", 1)
            if name in families or not NAME.match(name):
                raise Unsound(f"again, or no name: {name}")
            families[name] = {"help": help_text, "samples": []}
            current = name
        elif line.startswith("# TYPE "):
            name, kind = line[7:].split(" ")
            if name != current or "type" in families[name]:
                raise Unsound(f"TYPE away from its HELP: {name}")
            families[name]["type"] = kind
        else:
            sample = read_sample(line)
            if current is None or family_of(sample[0], families) != current:
                raise Unsound(f"a sample away from its family: {line}")
            families[current]["samples"].append(sample)
    return families


def check_histogram(name, samples):
    series = {}
    for sample, labels, value in samples:
        key = tuple(sorted((k, v) for k, v in labels.items() if k != "le"))
        part = series.setdefault(key, {"buckets": []})
        if sample.endswith("_bucket"):
            part["buckets"].append((float(labels["le"]), value))
        else:
            part[sample.rsplit("_", 1)[1]] = value
    for key, part in series.items():
        bounds = [bound for bound, _ in part["buckets"]]
        counts = [count for _, count in part["buckets"]]
        if bounds != sorted(set(bounds)) or bounds[-1] != math.inf or counts != sorted(counts):
            raise Unsound(f"{name}{key}: buckets {part['buckets']}")
        if counts[-1] != part["count"] or "sum" not in part:
            raise Unsound(f"{name}{key}: count or sum")


def check_family(name, family):
    kind = family.get("type")
    if not name.startswith("folkmoot_") or NOT_BASE_UNITS.search(name):
        raise Unsound(f"{name}: the name")
    if kind not in ("counter", "gauge", "histogram") or not family["help"].endswith("."):
        raise Unsound(f"{name}: TYPE or HELP")
    if (kind == "counter") != name.endswith("_total"):
        raise Unsound(f"{name}: counters end in _total, and nothing else does")
    if not family["samples"]:
        raise Unsound(f"{name}: no samples")
    seen = [(sample, tuple(sorted(labels.items()))) for sample, labels, _ in family["samples"]]
    if len(seen) != len(set(seen)):
        raise Unsound(f"{name}: a sample comes twice")
    for _, labels, value in family["samples"]:
        if not set(labels) <= LABELS or not value >= 0:
            raise Unsound(f"{name}: {labels} {value}")
    if kind == "histogram":
        check_histogram(name, family["samples"])


def check(text, samples_max=600):
    """The names of all samples, once everything about them is in order."""
    families = read(text)
    for name, family in families.items():
        check_family(name, family)
    names = [sample[0] for family in families.values() for sample in family["samples"]]
    if len(names) > samples_max:
        raise Unsound(f"{len(names)} samples")
    return set(names)


UNSOUND = [
    "# HELP folkmoot_a A.\n# TYPE folkmoot_a gauge\nfolkmoot_a 1",
    "folkmoot_a 1\n",
    "# HELP folkmoot_a A.\nfolkmoot_a 1\n",
    "# HELP folkmoot_a A.\n# TYPE folkmoot_a gauge\nfolkmoot_b 1\n",
    "# HELP folkmoot_a A.\n# TYPE folkmoot_a counter\nfolkmoot_a 1\n",
    "# HELP folkmoot_a A.\n# TYPE folkmoot_a gauge\nfolkmoot_a 1\nfolkmoot_a 2\n",
    '# HELP folkmoot_a A.\n# TYPE folkmoot_a gauge\nfolkmoot_a{device="1"} 1\n',
    '# HELP folkmoot_a A.\n# TYPE folkmoot_a gauge\nfolkmoot_a{code="x} 1\n',
    "# HELP folkmoot_ms A.\n# TYPE folkmoot_ms gauge\nfolkmoot_ms 1\n",
    "# HELP other_a A.\n# TYPE other_a gauge\nother_a 1\n",
    "# HELP folkmoot_h H.\n# TYPE folkmoot_h histogram\n"
    'folkmoot_h_bucket{le="1"} 2\nfolkmoot_h_bucket{le="+Inf"} 1\n'
    "folkmoot_h_sum 1\nfolkmoot_h_count 1\n",
]


def self_test():
    for text in UNSOUND:
        try:
            check(text)
        except Unsound:
            continue
        raise AssertionError(f"taken: {text}")
