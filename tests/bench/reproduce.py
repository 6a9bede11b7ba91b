"""How often the verdicts of a reproduction are wrong, by simulation with the code that makes them.

    PYTHONPATH=workflow python tests/bench/reproduce.py --quick     a minute of one core
    PYTHONPATH=workflow python tests/bench/reproduce.py             the tables in docs/reproduce-errors.md

All values have the standard deviation 1. A verdict is wrong if any analysis ever gave it, of all analyses up to four
times the seeds of the plan: so it does not matter whether somebody looks after every seed, stops at a decision,
continues after an undecided one, or starts again with the seeds that are cached.
"""

import argparse
import math
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from study_simulation import SPREADS

from dawn.reproduction.analyses import Analyses, Published, analyse, announced, looks, planned
from dawn.reproduction.spread import compare, sizes_of_tests

QUICK, FULL = 400, 5000  # reproductions in a cell
SIZES = (3, 5, 10, 30, 200)
MARGINS = {3: (1.33, 4.0), 5: (1.33, 3.0), 10: (1.33, 3.0), 30: (1.33, 2.0), 200: (1.0, 1.33)}
MOST = 4  # times the seeds of the plan
Cells = Iterator[tuple[object, ...]]


def by_plan(n: int, stds: np.ndarray, margin: float) -> Iterator[tuple[int | None, np.ndarray]]:
    """Yield each number of seeds that is announced, with the places of the published standard deviations (rows,).

    A larger one never announces fewer.
    """
    order = np.argsort(stds)

    def parts(places: np.ndarray) -> Iterator[tuple[int | None, np.ndarray]]:
        ends = [announced(Published(n, 0.0, float(stds[place])), margin) for place in places[[0, -1]]]
        if ends[0] == ends[1]:
            yield ends[0], places
        else:
            for part in np.array_split(places, 2):
                yield from parts(part)

    merged: dict[int | None, list[np.ndarray]] = {}
    for number, places in parts(order):
        merged.setdefault(number, []).append(places)
    for number, groups in merged.items():
        yield number, np.concatenate(groups)


def analysed(published: np.ndarray, new: np.ndarray, margin: float, std: float | None) -> Analyses:
    """Analyse new seeds (rows, seeds) against published ones (rows, n), of which ``std`` makes the plan."""
    n, of = published.shape[1], Published(published.shape[1], 0.0, std)
    counts = looks(of, margin, new.shape[1])
    m = np.array(counts)
    sums, squares = (np.cumsum(values, 1)[:, m - 1] for values in (new, new**2))
    moments = sums / m, (squares - sums**2 / m) / (m - 1)
    variance = None if std is None else published.var(1, ddof=1)[:, None]
    return analyse(n, published.mean(1)[:, None], variance, moments, margin, planned(of, margin), counts)


def first(decided: np.ndarray) -> np.ndarray:
    """Return the place of the first analysis that decides, (rows,); the number of analyses where none does."""
    return np.where(decided.any(1), decided.argmax(1), decided.shape[1])


def chances(spread: str, n: int, margin: float, rows: int, known: bool = True, ratio: float = 1.0) -> dict[str, float]:
    """Return percentages of verdicts that are wrong and right, and what was announced.

    ``known`` says that the standard deviation is published, ``ratio`` is the true one over that of new seeds. Of a
    verdict of equivalence the worse side counts; ``seen`` is a difference of twice the margin, ``power`` and ``missed``
    are of announced seeds at half of it.
    """
    rng = np.random.default_rng([n, int(100 * margin), known, *spread.encode()])
    published = ratio * SPREADS[spread](rng, (rows, n))
    stds = published.std(1, ddof=1)
    right = seen = 0
    wrong, hits, numbers = dict.fromkeys((0.0, 1.0, -1.0), 0), dict.fromkeys((0.5, -0.5), 0), np.full(rows, np.nan)
    for number, places in by_plan(n, stds, margin) if known else [(None, np.arange(rows))]:
        std = float(stds[places[0]]) if known else None
        plan = planned(Published(n, 0.0, std), margin)
        new, of = SPREADS[spread](rng, (len(places), MOST * plan[-1])), published[places]
        numbers[places] = number or np.nan
        for shift in wrong:
            result = analysed(of, new + shift * margin, margin, std)
            equivalent, different = first(result.equivalent), first(result.different)
            wrong[shift] += int((equivalent < different if shift else different < equivalent).sum())
            right += 0 if shift else int((equivalent < different).sum())
        far = analysed(of, new + 2 * margin, margin, std)
        seen += int((first(far.different) < first(far.equivalent)).sum())
        for shift in hits if number else ():
            result = analysed(of, new[:, :number] + shift * margin, margin, std)
            hits[shift] += int((first(result.equivalent) < first(result.different)).sum())
    count = int(np.isfinite(numbers).sum())
    return {
        "different": 100 * wrong[0.0] / rows,
        "equivalent": 100 * max(wrong[1.0], wrong[-1.0]) / rows,
        "right": 100 * right / rows,
        "seen": 100 * seen / rows,
        "announced": float(np.nanmedian(numbers)) if count else math.nan,
        "any": 100 * count / rows,
        "power": 100 * min(hits.values()) / count if count else math.nan,
        "missed": 100 * (count - min(hits.values())) / rows if count else 0.0,
    }


def verdicts(rows: int) -> Cells:
    """Verdicts up to four times the seeds of the plan, and on announced seeds, in percent of the reproductions."""
    yield ("published", "margin", "values", 'wrong "different"', 'wrong "equivalent"', 'right "equivalent"',
           'right "different"', "announced in", "seeds, median", "then equivalent", "announced and missed")  # fmt: skip
    for n in SIZES:
        for margin in MARGINS[n]:
            for spread in SPREADS:
                cell = chances(spread, n, margin, rows)
                enough = cell["any"] >= 5
                yield (n, f"{margin:g} std", spread, f"{cell['different']:.1f}", f"{cell['equivalent']:.1f}",
                       f"{cell['right']:.0f}", f"{cell['seen']:.0f}", f"{cell['any']:.0f}",
                       f"{cell['announced']:.0f}" if enough else "", f"{cell['power']:.0f}" if enough else "",
                       f"{cell['missed']:.0f}")  # fmt: skip


def unpublished(rows: int) -> Cells:
    """Verdicts where no spread is published, in percent of the reproductions."""
    yield "published", "margin", "values", 'wrong "different"', 'wrong "equivalent"'
    for n in (5, 30, 200):
        for spread in SPREADS:
            cell = chances(spread, n, 1.33, rows, known=False)
            yield n, "1.33 std", spread, f"{cell['different']:.1f}", f"{cell['equivalent']:.1f}"


def unequal(rows: int) -> Cells:
    """Verdicts where the published seeds have another spread, in percent of the reproductions."""
    yield "published", "their std over that of new ones", "values", 'wrong "different"', 'wrong "equivalent"'
    for n in (3, 30, 200):
        for ratio in (0.5, 2.0):
            for spread in SPREADS:
                cell = chances(spread, n, 1.33 * max(1, ratio), rows, ratio=ratio)
                yield n, ratio, spread, f"{cell['different']:.1f}", f"{cell['equivalent']:.1f}"


def alarms(spread: str, n: int, std: float, known: bool, rows: int, most: int = 100) -> np.ndarray:
    """Return the percentage of rows whose published spread was ever too small, after each test up to ``most`` seeds.

    ``std`` is the true one of the published values relative to that of the new ones; ``known`` says that each is.
    """
    rng = np.random.default_rng([n, int(100 * std), known, *spread.encode()])
    published, new = std * SPREADS[spread](rng, (rows, n)), SPREADS[spread](rng, (rows, most))
    tests = compare(n, published.var(1, ddof=1), published if known else None, new, sizes_of_tests(most))
    return np.asarray(100 * np.logical_or.accumulate(tests.high < 1, 1).mean(0))


def outside(spread: str, n: int, std: float, known: bool, rows: int, most: int = 100) -> float:
    """Return the percentage of rows whose bounds ever leave out the true ratio, of ``alarms``."""
    rng = np.random.default_rng([n, int(100 * std), known, *spread.encode()])
    published, new = std * SPREADS[spread](rng, (rows, n)), SPREADS[spread](rng, (rows, most))
    tests = compare(n, published.var(1, ddof=1), published if known else None, new, sizes_of_tests(most))
    return float(100 * (tests.low > std**2).any(1).mean())


def independence(rows: int) -> Cells:
    """Independent seeds that are said not to be, up to 100 new seeds."""
    yield "published", "values", "false, values known, %", "false, only std known, %", "low bound wrong, %"
    for n in SIZES:
        for spread in SPREADS:
            cells = [f"{alarms(spread, n, 1.0, known, rows)[-1]:.1f}" for known in (True, False)]
            yield n, spread, *cells, f"{outside(spread, n, 1.0, False, rows):.1f}"


def shared(rows: int) -> Cells:
    """Thirty seeds that share most of their training: how often that is seen."""
    counts = sizes_of_tests(60)
    yield "std over the real one", "values", *(f"{count} new seeds, %" for count in counts)
    for std in (0.3, 0.4, 0.5, 0.6):
        for spread in SPREADS:
            yield std, spread, *(f"{part:.0f}" for part in alarms(spread, 30, std, True, rows, 60))


TABLES = {table.__name__: table for table in (verdicts, unequal, unpublished, independence, shared)}


def main() -> None:
    """Print the tables as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", nargs="*", choices=[[], *TABLES], default=[], help="which ones (all)")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} reproductions in a cell, not {FULL:,}")
    args = parser.parse_args()
    rows = QUICK if args.quick else FULL
    for name in args.tables or TABLES:
        head, *cells = TABLES[name](rows)
        print(f"\n{TABLES[name].__doc__} {rows:,} in a cell; the standard error at 5 % is "
              f"{100 * math.sqrt(0.05 * 0.95 / rows):.1f} points.\n")  # fmt: skip
        print(f"| {' | '.join(map(str, head))} |\n|{'---:|' * len(head)}")
        for cell in cells:
            print(f"| {' | '.join(map(str, cell))} |", flush=True)


if __name__ == "__main__":
    main()
