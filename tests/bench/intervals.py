"""How often the intervals and tests over few seeds are right, by simulation with the code that makes them.

    PYTHONPATH=workflow python tests/bench/intervals.py --quick               all tables, a minute of one core
    PYTHONPATH=workflow python tests/bench/intervals.py accuracy times        some, as in docs/studies.md: minutes each

Coverage is that of nominal 95 % intervals. "False" is the percentage of studies without any difference in which a
comparison is called better or worse; 5 % are allowed.
"""

import argparse
import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from scipy import stats

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from study_simulation import verdicts

from dawn.results.statistics import spread
from dawn.searches.winner import optimism
from dawn.studies.comparisons import LEVEL, contrast
from dawn.studies.further import improvement
from dawn.studies.power import TTest, seeds_needed
from dawn.studies.sequential import PLANNED

Rng = np.random.Generator
Cells = Iterator[tuple[object, ...]]
MARGIN = 1e-9  # so small that no comparison is decided by being within it
QUICK, FULL = 200, 2000  # simulated experiments in a cell; fewer where each is a whole study


def accuracies(rng: Rng, mean: float, std: float, images: int, shape: tuple[int, ...]) -> np.ndarray:
    """Percentages of ``images`` that are right: the seeds' true accuracies are beta distributed."""
    total = mean * (1 - mean) / std**2 - 1
    return 100 * rng.binomial(images, rng.beta(mean * total, (1 - mean) * total, shape)) / images


def covered(rows: np.ndarray, mean: float, scale: str, images: int | None = None) -> tuple[float, float, float]:
    """Percentage of intervals that hold the mean, of those that there are; their median width; how many there are."""
    found = [spread(row, scale, images) for row in rows.tolist()]
    ends = np.array([(f["low"], f["high"]) for f in found if f["low"] is not None]).reshape(-1, 2)
    if not len(ends):
        return np.nan, np.nan, 0.0
    held = (ends[:, 0] <= mean) & (mean <= ends[:, 1])
    return 100 * held.mean(), float(np.median(ends[:, 1] - ends[:, 0])), 100 * len(ends) / len(rows)


def accuracy(count: int) -> Cells:
    """Intervals of an accuracy; at a spread near the distance from 100 % most seeds are there and few far from it."""
    yield "true accuracy, %", "spread, points", "images", "seeds", "coverage, %", "median width", "intervals, %"
    for mean, std, images, n in itertools.product(
        (10, 50, 90, 94, 99, 99.8), (0.05, 0.5, 3), (100, 1000, 10_000), (3, 5, 10, 20)
    ):
        rng = np.random.default_rng([int(10 * mean), int(100 * std), images, n])
        rows = accuracies(rng, mean / 100, std / 100, images, (count, n))
        yield mean, std, images, n, *(round(x, 2) for x in covered(rows, mean, "percent", images))


def two(count: int) -> Cells:
    """What a t interval of two seeds would be, and why there is none."""
    yield "seeds", "t interval of two covers, %", "its median half width, standard deviations"
    shapes: dict[str, Callable[[Rng, tuple[int, int]], np.ndarray]] = {
        "normal": lambda rng, shape: rng.normal(size=shape),
        "two humps 6 standard deviations apart": lambda rng, shape: humps_of(rng, shape, 0.1) / 0.1,
    }
    for name, draw in shapes.items():
        rows = draw(np.random.default_rng(2), (10 * count, 2))
        half = stats.t.isf(0.025, 1) * rows.std(1, ddof=1) / 2**0.5
        held = np.abs(rows.mean(1) - (0 if name == "normal" else 3)) <= half
        yield name, round(100 * held.mean(), 1), round(float(np.median(half)), 1)


def times(count: int) -> Cells:
    """Intervals of positive quantities."""
    yield "distribution", "std / mean", "seeds", "coverage, %", "median width / mean", "intervals, %"
    draws: dict[str, Callable[[Rng, float, tuple[int, int]], np.ndarray]] = {
        "normal": lambda rng, c, shape: 1 + c * rng.normal(size=shape),
        "gamma": lambda rng, c, shape: rng.gamma(c**-2, c**2, shape),
        "log-normal": lambda rng, c, shape: rng.lognormal(-np.log1p(c * c) / 2, np.log1p(c * c) ** 0.5, shape),
    }
    for name, c, n in itertools.product(draws, (0.02, 0.1, 0.3, 0.6, 1), (3, 5, 10, 20)):
        if name == "normal" and c > 0.2:
            continue
        rows = draws[name](np.random.default_rng([n, int(100 * c)]), c, (count, n))
        yield name, c, n, *(round(x, 2) for x in covered(rows, 1.0, "positive"))


def unequal(count: int) -> Cells:
    """Unpaired differences of unequal numbers of seeds and unequal spreads."""
    yield "seeds", "spread of the second", "coverage, %", "false at the planned level, %"
    for m, n in (
        (2, 2),
        (2, 3),
        (2, 10),
        (2, 20),
        (3, 3),
        (3, 5),
        (3, 20),
        (4, 4),
        (5, 8),
        (5, 20),
        (10, 20),
        (20, 20),
    ):
        for ratio in (1 / 3, 1, 3):
            rng, held, false = np.random.default_rng([m, n, int(9 * ratio)]), 0, 0
            for _ in range(count):
                values = {"a": dict(enumerate(rng.normal(size=m))), "b": dict(enumerate(ratio * rng.normal(size=n)))}
                found = contrast(values, {"a": -1.0, "b": 1.0}, False)
                t = abs(found.statistic() or 0.0)
                held += t <= found.edge(LEVEL)
                false += t > found.edge(PLANNED)
            yield f"{m} and {n}", f"{ratio:.2f}", round(100 * held / count, 1), round(100 * false / count, 1)


def probability(count: int) -> Cells:
    """The probability of improvement: the least coverage over true probabilities and ratios of the spreads."""
    yield "seeds", "least coverage, %", "at probability, ratio", "mean width at equal spreads"
    for m, n in ((3, 3), (3, 20), (5, 5), (5, 20), (10, 10), (10, 20), (20, 20)):
        found, widths = {}, []
        for truth, ratio in itertools.product((0.5, 0.7, 0.9, 0.97), (0.02, 0.2, 1, 5)):
            rng, held = np.random.default_rng([m, n, int(100 * truth), int(100 * ratio)]), 0
            shift = stats.norm.ppf(truth) * np.hypot(1, ratio)
            for _ in range(count // 4):
                p = improvement(rng.normal(size=m), shift + ratio * rng.normal(size=n), True)
                assert p is not None
                held += p.low <= truth <= p.high
                widths += [p.high - p.low] * (ratio == 1)
            found[truth, ratio] = 100 * held / (count // 4)
        least = min(found, key=lambda key: found[key])
        yield f"{m} and {n}", round(found[least], 1), f"{least[0]}, {least[1]}", round(float(np.mean(widths)), 2)


def dunnett(count: int) -> Cells:
    """Studies with test: dunnett where the variants do not spread alike."""
    yield "variants", "seeds", "spread", "paired", "false, %", "Dunnett's test was used, %"
    for variants, n in ((3, 5), (6, 3), (6, 5), (9, 5), (9, 10)):
        for which, ratio in (("all 1", 1), ("base 1.5", 1.5), ("base 2", 2), ("base 5", 5), ("one other 5", 5)):
            for paired in (True, False):
                rng, std = np.random.default_rng([variants, n, int(10 * ratio), paired]), np.ones((variants, 1))
                std[1 if which.startswith("one") else 0] = ratio
                found = [verdicts(std * rng.normal(size=(variants, n)), [n], MARGIN, paired, test="dunnett")
                         for _ in range(count // 2)]  # fmt: skip
                false = np.mean([any(v.kind in ("better", "worse") for v in vs) for vs in found])
                used = np.mean([vs[0].common for vs in found])
                yield variants, n, which, "yes" if paired else "no", round(100 * false, 1), round(100 * used)


def humps_of(rng: Rng, shape: tuple[int, ...], std: float) -> np.ndarray:
    """Values around one of two modes that are 0.6 apart, each as likely."""
    return 0.6 * rng.integers(0, 2, shape) + std * rng.normal(size=shape)


def humps(count: int) -> Cells:
    """Seeds that end in one of two modes, the same in all variants; the plan N is one analysis of N seeds."""
    yield "std in a mode", "variants", "plan", "false, Welch, %", "false, paired, %"
    for std, variants, plan in itertools.product(
        (0.02, 0.1), (2, 9), ((2,), (3,), (4,), (5,), (8,), (3, 5, 8), (5, 8, 13))
    ):
        cells = []
        for paired in (False, True):
            rng, false = np.random.default_rng([int(100 * std), variants, *plan, paired]), 0
            for _ in range(count // 4):
                found = verdicts(humps_of(rng, (variants, plan[-1]), std), plan, MARGIN, paired)
                false += any(v is not None and v.kind in ("better", "worse") for v in found)
            cells.append(round(100 * false / (count // 4), 1))
        yield std, variants, ", ".join(map(str, plan)), *cells


def skewed(count: int) -> Cells:
    """Exponential values of all variants against a base that hardly varies: only one side is skewed."""
    yield "comparisons", "plan", "false, %"
    for comparisons, plan in itertools.product((1, 4), ((3,), (5,), (10,), (20,), (5, 8, 13, 20))):
        rng, false = np.random.default_rng([comparisons, *plan]), 0
        for _ in range(count // 4):
            rows = 1 - rng.exponential(size=(comparisons + 1, plan[-1]))
            rows[0] = 0.05 * rng.normal(size=plan[-1])
            found = verdicts(rows, plan, MARGIN, True)
            false += any(v is not None and v.kind in ("better", "worse") for v in found)
        yield comparisons, ", ".join(map(str, plan)), round(100 * false / (count // 4), 1)


def needed(count: int) -> Cells:
    """Seeds that detect a difference four times in five, at a spread of 0.15 points; computed."""
    yield "difference, points", "comparisons", "seeds, equal batches", "seeds, other batches"
    for size, comparisons in itertools.product((0.2, 0.5), (1, 5)):
        tests = (TTest.of_study("holm", comparisons, paired) for paired in (True, False))
        yield size, comparisons, *(seeds_needed(0.15 * 2**0.5, size, test) for test in tests)


def search(count: int) -> Cells:
    """The winner's last accuracy over its true one where no trial is better, in standard deviations of a training."""
    yield "trials at the rungs", "rounds", "chance new in each training", "chance that stays with the settings"
    for trials, rounds in itertools.product(((6,), (9, 3, 1), (4, 2), (27, 9, 3)), (1, 2)):
        ends = (round(abs(optimism(trials, rounds, persistent)), 2) for persistent in (False, True))
        yield ", ".join(map(str, trials)), rounds, *ends


TABLES = {f.__name__: f for f in (accuracy, two, times, unequal, probability, dunnett, humps, skewed, needed, search)}


def main() -> None:
    """Print the tables as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", nargs="*", choices=[[], *TABLES], default=[], help="which ones (all)")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} experiments in a cell, not {FULL}")
    args = parser.parse_args()
    for name in args.tables or TABLES:
        head, *rows = TABLES[name](QUICK if args.quick else FULL)
        print(f"\n{name}: {TABLES[name].__doc__}\n\n| {' | '.join(map(str, head))} |\n|{'---|' * len(head)}")
        for row in rows:
            print(f"| {' | '.join(map(str, row))} |", flush=True)


if __name__ == "__main__":
    main()
