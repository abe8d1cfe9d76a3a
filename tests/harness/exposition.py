"""A strict reader of the text format of metrics, version 0.0.4, as Prometheus has it. It takes nothing that some reader
might refuse, and nothing that good practice forbids: families without help or type, or in pieces, and names without units."""

import math
import re
from dataclasses import dataclass, field

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r"[a-zA-Z_][a-zA-Z0-9_]*"
SAMPLE = re.compile(rf"({NAME})(?:\{{(.*)\}})? (\S+)")
PAIR = re.compile(rf'({LABEL})="((?:[^"\\\n]|\\["\\n])*)"(,|$)')
TYPES = ("counter", "gauge", "histogram")

Labels = dict[str, str]


class Malformed(Exception):
    pass


@dataclass
class Family:
    name: str
    help: str
    type: str = ""
    samples: list[tuple[str, Labels, float]] = field(default_factory=list)

    def value(self, **labels: str) -> float:
        """Of the one sample that has these labels and no others."""
        found = [v for name, l, v in self.samples if name == self.name and l == labels]
        if len(found) != 1:
            raise KeyError(f"{self.name} {labels}: {len(found)} samples")
        return found[0]

    def by(self, label: str) -> dict[str, float]:
        return {labels[label]: value for _, labels, value in self.samples}

    def total(self) -> float:
        return sum(value for _, _, value in self.samples)

    def count(self) -> float:
        """Of a histogram."""
        return next(v for name, _, v in self.samples if name == self.name + "_count")


def require(condition: bool, what: str) -> None:
    if not condition:
        raise Malformed(what)


def read_labels(text: str) -> Labels:
    labels: Labels = {}
    at = 0
    while at < len(text):
        pair = PAIR.match(text, at)
        require(pair is not None, f"not labels: {text!r}")
        name, value, end = pair.groups()
        require(name not in labels, f"the label {name} twice: {text!r}")
        require(not name.startswith("__"), f"a reserved label: {name}")
        labels[name] = re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], value)
        at = pair.end()
        require(end == "" or at < len(text), f"a comma at the end: {text!r}")
    return labels


def read_value(text: str) -> float:
    require(re.fullmatch(r"[+-]?(Inf|NaN|\d+(\.\d+)?([eE][+-]?\d+)?)", text) is not None, f"not a number: {text!r}")
    return float(text)


def check_histogram(f: Family) -> None:
    bounds = [(float(l["le"]), v) for name, l, v in f.samples if name == f.name + "_bucket"]
    rest = [name for name, _, _ in f.samples if name != f.name + "_bucket"]
    require(rest == [f.name + "_sum", f.name + "_count"], f"{f.name}: {rest}")
    require(len(bounds) > 1 and bounds[-1][0] == math.inf, f"{f.name} has no bucket +Inf")
    for (before, fewer), (after, more) in zip(bounds, bounds[1:]):
        require(before < after and fewer <= more, f"{f.name}: buckets do not rise at {after}")
    require(bounds[-1][1] == f.count(), f"{f.name}: the bucket +Inf is not the count")


def check(f: Family) -> None:
    require(f.type in TYPES, f"{f.name} has the type {f.type!r}")
    require(f.help != "", f"{f.name} has no help")
    require(f.name.endswith("_total") == (f.type == "counter"), f"{f.name} is a {f.type}")
    require("__" not in f.name and f.name == f.name.lower(), f"not a name: {f.name}")
    seen = set()
    for name, labels, value in f.samples:
        series = (name, tuple(sorted(labels.items())))
        require(series not in seen, f"twice: {series}")
        seen.add(series)
        require(f.type != "counter" or value >= 0, f"a counter below zero: {series}")
        require(not math.isnan(value), f"no number: {series}")
        require(("le" in labels) == name.endswith("_bucket"), f"the label le: {series}")
    if f.type == "histogram":
        check_histogram(f)


def parse(text: str) -> dict[str, Family]:
    """The families by name. Raises Malformed."""
    require(text.endswith("\n"), "no newline at the end")
    families: dict[str, Family] = {}
    current: Family | None = None
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            name, _, help_text = line[7:].partition(" ")
            require(re.fullmatch(NAME, name) is not None and name not in families, f"a family twice: {name}")
            require(re.search(r"\\(?![\\n])", help_text) is None, f"a wrong escape: {line}")
            current = families[name] = Family(name, help_text)
        elif line.startswith("# TYPE "):
            name, _, kind = line[7:].partition(" ")
            require(current is not None and name == current.name, f"a type without help: {line}")
            require(current.type == "" and not current.samples, f"a type too late: {line}")
            current.type = kind
        else:
            sample = SAMPLE.fullmatch(line)
            require(sample is not None, f"not a sample: {line!r}")
            require(current is not None and current.type != "", f"a sample without a type: {line}")
            suffixes = ("_bucket", "_sum", "_count") if current.type == "histogram" else ("",)
            require(sample[1] in [current.name + s for s in suffixes], f"a sample of another family: {line}")
            current.samples.append((sample[1], read_labels(sample[2] or ""), read_value(sample[3])))
    for f in families.values():
        check(f)
    return families
