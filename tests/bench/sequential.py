"""How often a study is wrong under a stopping rule, and how many seeds a sequential study spends.

    PYTHONPATH=workflow python tests/bench/sequential.py --quick             under two minutes of one core
    PYTHONPATH=workflow python tests/bench/sequential.py --studies 500       the table in docs/results.md

Studies that are changed after their results were seen are in unplanned.py, which writes and reads their files.

False verdicts: no variant differs from the first, and a study counts as wrong if any comparison was ever called better
or worse before the user stopped. Seeds: one variant differs; a fixed design of equal power is that of as many seeds as
a t-test needs for the power that the sequential study has.
"""

import argparse
import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from study_simulation import SPREADS, against_first, by_name, draw, verdicts

from dawn.config.study import Sequential
from dawn.core import cli
from dawn.results import measurement
from dawn.results.measurement import Row
from dawn.studies.analysis import Analyses, Design
from dawn.studies.power import TTest, power
from dawn.studies.sequential import PLANNED
from dawn.studies.verdicts import Verdict

MARGIN = 1e-9  # so small that no comparison is decided by being within it
Verdicts = Iterator[list[Verdict]]


def fixed(rows: np.ndarray, paired: bool) -> Verdicts:
    """One analysis of all seeds."""
    yield verdicts(rows, [rows.shape[1]], MARGIN, paired)


def sequential(rows: np.ndarray, paired: bool) -> Verdicts:
    """The default analyses from 3 seeds on; no seeds for decided comparisons."""
    yield verdicts(rows, counts(rows.shape[1]), MARGIN, paired)


def every_seed(rows: np.ndarray, paired: bool) -> Verdicts:
    """A planned analysis after each seed from 3 on."""
    yield verdicts(rows, range(min(3, rows.shape[1]), rows.shape[1] + 1), MARGIN, paired)


def one_more(rows: np.ndarray, paired: bool, start: int = 3) -> Verdicts:
    """A fixed study of few seeds, then unplanned seeds one by one."""
    yield verdicts(rows[:, :start], [start], MARGIN, paired)
    for n in range(start + 1, rows.shape[1] + 1):
        yield verdicts(rows[:, :n], [n], MARGIN, paired, planned=False)


def as_advised(rows: np.ndarray, paired: bool) -> Verdicts:
    """A fixed study, then again and again the number of seeds that the page names for a difference of 0.2 points."""
    n, planned = 3, True
    while n <= rows.shape[1]:
        found = verdicts(rows[:, :n], [n], 0.2, paired, planned=planned)
        yield found
        needed = max(v.needed or 0 for v in found)
        n, planned = max(n + 1, min(needed, rows.shape[1])), False


def then_more(rows: np.ndarray, paired: bool) -> Verdicts:
    """A sequential study of a third of the seeds, then unplanned seeds, two at a time."""
    start = max(4, rows.shape[1] // 3)
    yield verdicts(rows[:, :start], counts(start), MARGIN, paired)
    for n in range(start + 2, rows.shape[1] + 1, 2):
        yield verdicts(rows[:, :n], [n], MARGIN, paired, planned=False)


def naive(rows: np.ndarray, paired: bool) -> Verdicts:
    """For contrast, what a study refuses: the tests of a fixed study, repeated after each seed from 3 on."""
    for n in range(3, rows.shape[1] + 1):
        yield verdicts(rows[:, :n], [n], MARGIN, paired)


RULES: dict[str, Callable[[np.ndarray, bool], Verdicts]] = {
    "fixed": fixed, "sequential": sequential, "analysis after each seed": every_seed, "one more seed": one_more,
    "seeds as advised": as_advised, "sequential, then more": then_more, "naive": naive,
}  # fmt: skip


def counts(most: int) -> tuple[int, ...]:
    """The analyses of ``seeds: {first: 3, most: most}``."""
    return Sequential(first=3, most=most).counts if most > 3 else (most,)


def wrong(rule: str, spread: str, variants: int, seeds: int, paired: bool, studies: int) -> float:
    """The fraction of studies without a difference that ever say better or worse."""
    rng = np.random.default_rng([variants, seeds, paired, *rule.encode()])
    found = 0
    for _ in range(studies):
        rows = draw(rng, variants, seeds, spread, common=0.5 * paired)
        found += any(v.kind in ("better", "worse") for step in RULES[rule](rows, paired) for v in step)
    return found / studies


def spent(spread: str, variants: int, most: int, effect: float, studies: int) -> tuple[float, float]:
    """Power for one variant that differs by ``effect`` standard deviations, and its mean seeds until it is decided."""
    rng, plan = np.random.default_rng([variants, most, int(100 * effect)]), counts(most)
    hits, seeds = 0, 0
    for _ in range(studies):
        rows = draw(rng, variants, most, spread, std=1.0, common=0.5, shifts=(0, effect))
        found = Analyses(Design(against_first(variants), plan, MARGIN), lambda names: True)
        found.planned(by_name(rows))
        first = found.verdicts[0]
        hits += first.kind == "better"
        seeds += first.difference.n
    return hits / studies, seeds / studies


def equal(chance: float, effect: float, comparisons: int) -> int:
    """The seeds of a fixed design with this power at the level that one of so many comparisons is sure of."""
    n = 2
    while power(n, 1.0, effect, TTest(True, PLANNED / comparisons)) < chance:
        n += 1
    return n


def print_wrong(rules: list[str], variants: list[int], seeds: list[int], studies: int) -> list[Row]:
    """The table of false verdicts; its cells as rows of a measurement."""
    measured = []
    print(f"False better or worse, % of {studies} studies; least and most over {variants} variants, {seeds} seeds, "
          "paired and not\n")  # fmt: skip
    print(f"| stopping rule | {' | '.join(SPREADS)} |\n|---|{'---:|' * len(SPREADS)}", flush=True)
    for rule in rules:
        cells = []
        for spread in SPREADS:
            rates = []
            for v, n, paired in itertools.product(variants, seeds, (True, False)):
                rates.append(100 * wrong(rule, spread, v, n, paired, studies))
                cell = {"variants": v, "seeds": n, "paired": int(paired), "studies": studies, "wrong": rates[-1]}
                measured.append(cell | {"rule": f"{rule}, {spread}"})
            cells.append(f"{np.mean(rates):.1f} ({min(rates):.1f} to {max(rates):.1f})")
        print(f"| {rule} | {' | '.join(cells)} |", flush=True)
    return by_rule(measured)


def by_rule(cells: list[dict[str, Any]]) -> list[Row]:
    """A row for each simulated cell; the variant is the rule and the distribution."""
    rules = dict.fromkeys(cell["rule"] for cell in cells)
    each = {rule: [measurement.numbers(cell) for cell in cells if cell["rule"] == rule] for rule in rules}
    return [row for rule, values in each.items() for row in measurement.repetitions(values, rule)]


def print_spent(variants: list[int], studies: int) -> list[Row]:
    """The table of seeds; its lines as rows of a measurement."""
    measured = []
    print("\n| variants | most seeds | difference | spread | power | mean seeds | fixed, equal power | ratio |")
    print(f"|{'---:|' * 3}---|{'---:|' * 4}")
    for count in variants:
        for most, effect in ((10, 1.5), (20, 1.0), (30, 0.75)):
            for spread in SPREADS:
                chance, mean = spent(spread, count, most, effect, studies)
                same = equal(chance, effect, count - 1)
                print(f"| {count} | {most} | {effect:g} std | {spread} | {100 * chance:.0f} % | {mean:.1f} | {same} | "
                      f"{mean / same:.2f} |", flush=True)  # fmt: skip
                line = {"variants": count, "most": most, "effect": effect, "studies": studies, "power": 100 * chance}
                measured.append({"rule": f"seeds, {spread}", **line, "mean_seeds": mean, "fixed_seeds": same})
    return by_rule(measured)


def main() -> None:
    """Print both tables as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=500, help="simulated studies in each cell (500)")
    parser.add_argument("--quick", action="store_true", help="60 studies and few cells")
    parser.add_argument("--rules", nargs="*", choices=RULES, default=list(RULES), help="stopping rules (all)")
    parser.add_argument("--no-seeds", action="store_true", help="leave out the table of seeds")
    cli.add_measurement(parser)
    args = parser.parse_args()
    studies = 60 if args.quick else args.studies
    variants, seeds = ([2, 5], [8]) if args.quick else ([2, 5, 9], [3, 10, 30])
    rows = print_wrong(args.rules, variants, seeds, studies) if args.rules else []
    rows += [] if args.no_seeds else print_spent(variants, studies)
    measurement.save(args.measurement, "simulated studies under stopping rules, percent that are wrong", rows)


if __name__ == "__main__":
    main()
