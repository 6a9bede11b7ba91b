"""Cells of the generated tables: the placeholders of docs/measurements/tables.yaml, computed from raw rows.

A placeholder is {SOURCE STATISTIC VALUE}, such as {demo interval accuracy}. A source is a file of rows, or one variant
in it. A value is that of a row, or a quotient of two (``ours/plain``). Statistics:

n                    rows
mean, median, std    of a value
interval             mean with its 95 % interval over independent trainings (dawn.results.statistics)
range, each          of a value: the least and the greatest; all
at VALUE X           the percentage of trainings at or above X, with Wilson's interval
ratio VALUE OTHER    how many times the mean of another source's trainings this one is, with its 95 % interval
host, torch, date    of the measurement
"""

import math
import re
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scipy.stats import ttest_ind

from dawn.core.cli import InputError
from dawn.report import numbers
from dawn.results import statistics as over_seeds
from dawn.results.measurement import Measurement, Row, independent, read
from dawn.results.measures import MEASURES

PLACEHOLDER = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True)
class Source:
    """Rows of one variant in a file, with what the file says of all."""

    path: Path
    measurement: Measurement
    rows: Sequence[Row]

    def values(self, name: str) -> list[float]:
        """A value of every row, or a quotient of two; an InputError if a row has none."""
        above, _, below = name.partition("/")
        found = []
        for row in self.rows:
            lacking = [part for part in filter(None, (above, below)) if part not in row.values]
            if lacking:
                number = f"repetition {row.repetition}" if row.seed is None else f"seed {row.seed}"
                raise InputError(f"{self.path.name}: {number} {row.variant!r} has no value {lacking[0]}")
            found.append(row.values[above] / (row.values[below] if below else 1))
        return found

    @property
    def doubt(self) -> str | None:
        """Why the rows have no interval: they are repetitions, or trainings that share steps or their start."""
        if any(row.seed is None for row in self.rows):
            return "repetitions of a benchmark have no interval over seeds"
        count = independent(self.rows)
        return None if count == len(self.rows) else f"{count} of {len(self.rows)} trainings are independent"


class Cells:
    """Fills templates with numbers from the rows in ``folder``; ``table`` is the content of tables.yaml."""

    def __init__(self, folder: Path, table: Mapping[str, Any]) -> None:
        self.folder, self.sources = folder, table["sources"]
        declared = {m.key: {"scale": m.scale, "digits": m.digits} for m in MEASURES.values()}
        self.kinds: Mapping[str, Any] = declared | table["values"]
        self.commands: Mapping[str, Any] = table["commands"]

    def named(self, text: str) -> list[str]:
        """The files of the rows that a template needs."""
        words = [word for found in PLACEHOLDER.findall(text) for word in found.split()]
        return list(dict.fromkeys(self.file(word) for word in words if word in self.sources))

    def file(self, source: str) -> str:
        """The name of a source's file; an InputError for a source that is not declared."""
        if source not in self.sources:
            raise InputError(f"{{{source} ...}}: tables.yaml has no such source; it has {', '.join(self.sources)}")
        return str(self.sources[source]["file"])

    def measured(self, text: str) -> bool:
        """Whether all rows of a template are there. An InputError for a missing file without a command."""
        missing = [name for name in self.named(text) if not (self.folder / name).is_file()]
        if unlisted := [name for name in missing if name not in self.commands]:
            raise InputError(f"{self.folder / unlisted[0]} is missing; measure it, or list its command")
        return not missing

    def source(self, name: str) -> Source:
        """The rows of a source."""
        path, variant = self.folder / self.file(name), self.sources[name].get("variant")
        found = read(path)
        rows = [row for row in found.rows if variant in (None, row.variant)]
        if not rows:
            raise InputError(f"{path.name} has no rows of variant {variant!r}")
        if len({row.variant for row in rows}) > 1:
            raise InputError(f"{path.name} has several variants; the source {name} names none of them")
        return Source(path, found, rows)

    def fill(self, text: str) -> str:
        """A template with its numbers."""
        return PLACEHOLDER.sub(lambda found: self.cell(*found[1].split()), text)

    def cell(self, source: str, statistic: str, *arguments: str) -> str:
        """One placeholder."""
        rows = self.source(source)
        if statistic in OF_FILE:
            return OF_FILE[statistic](rows)
        name, *others = arguments or ("",)
        needs = 2 if statistic in ("at", "ratio") else 1
        if (
            statistic not in (*OF_VALUES, "interval", "at", "ratio")
            or name not in self.kinds
            or len(arguments) != needs
        ):
            known = ", ".join((*OF_FILE, *OF_VALUES, "interval", "at", "ratio"))
            raise InputError(
                f"{{{source} {statistic} {name}}}: a statistic ({known}) and a value of tables.yaml are needed"
            )
        kind = self.kinds[name]
        values = [value / kind.get("per", 1) for value in rows.values(name)]
        if statistic == "at":
            return fraction(values, float(others[0]), rows.doubt)
        if statistic == "ratio":
            other = self.source(others[0])
            return ratio(rows.values(name), other.values(name), rows.doubt or other.doubt)
        if statistic == "interval":
            return interval(values, kind, rows.doubt)
        return OF_VALUES[statistic](values, kind["digits"])


def interval(values: Sequence[float], kind: Mapping[str, Any], doubt: str | None) -> str:
    """The mean with its interval; without one, and why, where the rows are not independent."""
    found = over_seeds.spread(values, kind["scale"])
    if doubt is None:
        return numbers.interval(found, kind["digits"])
    return f"{found['mean']:,.{kind['digits']}f} (no interval: {doubt})"


def fraction(values: Sequence[float], least: float, doubt: str | None) -> str:
    """The percentage of the values that are at least so great, with Wilson's interval if the rows are independent."""
    found = over_seeds.fraction(sum(value >= least for value in values), len(values))
    return f"{found['share']:.0f} % (no interval: {doubt})" if doubt else numbers.fraction(found)


def ratio(ours: Sequence[float], theirs: Sequence[float], doubt: str | None = None) -> str:
    """How many times theirs ours is, by geometric means, with Welch's 95 % interval of the logarithms."""
    logs = [[math.log(value) for value in side] for side in (ours, theirs)]
    middle = f"{math.exp(statistics.fmean(logs[0]) - statistics.fmean(logs[1])):.3f}"
    if doubt or min(map(len, logs)) < 2:
        return middle + (f" (no interval: {doubt})" if doubt else "")
    found = ttest_ind(*logs, equal_var=False).confidence_interval()
    return f"{middle} ({math.exp(found.low):.3f} to {math.exp(found.high):.3f})"


def _number(function: Callable[[Sequence[float]], float]) -> Callable[[Sequence[float], int], str]:
    return lambda values, digits: f"{function(values):,.{digits}f}"


OF_VALUES: dict[str, Callable[[Sequence[float], int], str]] = {
    "mean": _number(statistics.fmean),
    "median": _number(statistics.median),
    "std": lambda values, digits: numbers.std({"std": statistics.stdev(values) if len(values) > 1 else None}, digits),
    "range": lambda values, digits: f"{min(values):,.{digits}f} to {max(values):,.{digits}f}",
    "each": lambda values, digits: ", ".join(f"{value:,.{digits}f}" for value in values),
}
OF_FILE: dict[str, Callable[[Source], str]] = {
    "n": lambda source: str(len(source.rows)),
    "host": lambda source: host(source.measurement),
    "torch": lambda source: source.measurement.packages["torch"],
    "date": lambda source: source.measurement.date.date().isoformat(),
}


def host(found: Measurement) -> str:
    """The GPUs, or the CPU with the features on which its speed depends."""
    if found.host.gpus:
        return ", ".join(gpu.partition(",")[0] for gpu in found.host.gpus)
    fast = [name for name in found.host.features if "bf16" in name]
    cpu = re.sub(r"\((R|TM)\)", "", found.host.cpu)
    return f"{cpu}, {numbers.count(found.host.cores, 'core')}" + (f" with {' and '.join(fast)}" if fast else "")
