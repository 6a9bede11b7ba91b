"""How often studies are wrong if a user changes them after looking: what was deleted, added, renamed, chosen.

    PYTHONPATH=workflow python tests/bench/unplanned.py                   the table in docs/results.md
    PYTHONPATH=workflow python tests/bench/unplanned.py --studies 100 --rules delete_all_but_best

Nothing differs in truth. A study counts as wrong if any verdict that the user ever saw was better or worse. All is
through written results and the history of ``python -m dawn.study``, ``dawn.interim`` and ``dawn.compare``.
"""

import argparse
import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
sys.path.insert(0, str(Path(__file__).parents[1]))

from study_simulation import SPREADS
from written_studies import SHOWN, Results, in_haste

from dawn.config.study import Sequential
from dawn.studies.verdicts import Verdict

Verdicts = Iterator[list[Verdict]]
Rule = Callable[[Results, int, int], Verdicts]
LABELS = "vwxyzuts"


def by_t(results: Results, chosen: list[int], seeds: int, base: int = 0, measure: int = 0) -> list[int]:
    """The other variants, those that differ most from the base first."""
    rows = results.values[measure][:, :seeds]

    def t(i: int) -> float:
        d = rows[i] - rows[base]
        return -abs(d.mean()) / d.std(ddof=1)

    return sorted((i for i in chosen if i != base), key=t)


def delete_all_but_best(results: Results, k: int, n: int) -> Verdicts:
    """Looks, deletes all but the base and the best, looks again."""
    chosen = list(range(k))
    yield results.look("a", chosen, seeds=n)
    yield results.look("a", [0, by_t(results, chosen, n)[0]], seeds=n)


def delete_worst(results: Results, k: int, n: int) -> Verdicts:
    """Deletes the worst variant, one by one."""
    ranked = by_t(results, list(range(k)), n)
    for left in range(len(ranked), 0, -1):
        yield results.look("a", [0, *ranked[:left]], seeds=n)


def sequential_best(results: Results, k: int, n: int) -> Verdicts:
    """A sequential study, of which the best variant is kept after the first look."""
    counts, chosen = Sequential(first=3, most=n).counts, list(range(k))
    yield results.look("a", chosen, 3, seeds=n, analyses=counts)
    best = by_t(results, chosen, 3)[0]
    for count in counts:
        yield results.look("a", [0, best], count, seeds=n, analyses=counts)


def add_one(results: Results, k: int, n: int) -> Verdicts:
    """Starts with two variants, adds one at a time."""
    for size in range(2, k + 1):
        yield results.look("a", list(range(size)), seeds=n)


def each_base(results: Results, k: int, n: int) -> Verdicts:
    """Compares with each variant in turn."""
    for base in range(k):
        yield results.look("a", list(range(k)), seeds=n, against=base)


def rename_and_double(results: Results, k: int, n: int) -> Verdicts:
    """Renames all variants and doubles the seeds, four times."""
    for turn, label in enumerate(LABELS[:5]):
        yield results.look("a", list(range(k)), seeds=n * 2**turn, label=label)


def each_measure(results: Results, k: int, n: int) -> Verdicts:
    """Accuracy, then top-5, loss, calibration error."""
    for measure in SHOWN:
        yield results.look("a", list(range(k)), seeds=n, measure=measure)


def holm_then_dunnett(results: Results, k: int, n: int) -> Verdicts:
    """Holm, then Dunnett."""
    for test in ("holm", "dunnett"):
        yield results.look("a", list(range(k)), seeds=n, test=test)


def dunnett_then_delete(results: Results, k: int, n: int) -> Verdicts:
    """Dunnett, then deletes the variants that spread most, one by one, so that the pooled spread shrinks."""
    ranked = sorted(range(1, k), key=lambda i: results.values[0][i, :n].std())
    for left in range(k - 1, 0, -1):
        yield results.look("a", [0, *ranked[:left]], seeds=n, test="dunnett")


def partial_then_delete(results: Results, k: int, n: int) -> Verdicts:
    """Sees the partial page, and deletes all but the base and the best before any verdict."""
    chosen = list(range(k))
    results.look("a", chosen, n - 1, seeds=n)
    yield results.look("a", [0, by_t(results, chosen, n - 1)[0]], seeds=n)


def new_file(results: Results, k: int, n: int) -> Verdicts:
    """Renames the study and its variants, and keeps the best pair alone, in a file of its own."""
    chosen = list(range(k))
    yield results.look("a", chosen, seeds=n)
    yield results.look("b", [0, by_t(results, chosen, n)[0]], seeds=n, label="x")


def add_against_worst(results: Results, k: int, n: int) -> Verdicts:
    """Adds one variant after the other, and compares it with the worst that was seen."""
    half = max(2, k // 2)
    yield results.look("a", list(range(half)), seeds=n)
    for size in range(half, k):
        worst = int(np.argmin(results.values[0][:size, :n].mean(1)))
        yield results.look("a", [*range(size + 1)], seeds=n, against=worst)


def add_many(results: Results, k: int, n: int) -> Verdicts:
    """Adds all other variants if the base is far from what was seen, else one."""
    yield results.look("a", [0, 1], seeds=n)
    d = results.values[0][1, :n] - results.values[0][0, :n]
    far = abs(d.mean()) / d.std(ddof=1) * n**0.5 > 2
    yield results.look("a", list(range(k if far else 3)), seeds=n)


def best_of_all(results: Results, k: int, n: int) -> Verdicts:
    """Chooses measure and pair together: the pair that differs most in any measure."""
    chosen = list(range(k))
    yield results.look("a", chosen, seeds=n)
    pairs = []
    for m, base in itertools.product(range(len(SHOWN)), chosen):
        d = results.values[m][:, :n] - results.values[m][base, :n]
        best = by_t(results, chosen, n, base, m)[0]
        pairs.append((abs(d[best].mean()) / d[best].std(ddof=1), m, base, best))
    _, m, base, best = max(pairs)
    yield results.look("a", [base, best], seeds=n, measure=SHOWN[m])


def every_pair(results: Results, k: int, n: int) -> Verdicts:
    """All pairs, in all measures."""
    for measure in SHOWN:
        for against in (None, "all"):
            yield results.look("a", list(range(k)), seeds=n, measure=measure, against=against)


def two_files(results: Results, k: int, n: int) -> Verdicts:
    """Two studies of half the variants each, with one base."""
    half = (k + 1) // 2
    yield results.look("a", list(range(half)), seeds=n)
    yield results.look("b", [0, *range(half, k)], seeds=n)


def one_file_each(results: Results, k: int, n: int) -> Verdicts:
    """A study of two for each variant, with one base."""
    for i in range(1, k):
        yield results.look(f"study{i}", [0, i], seeds=n)


def grid_effects(results: Results, k: int, n: int) -> Verdicts:
    """A grid by its effects, then each cell with the first, then all pairs, then the effects of each half."""
    grid, chosen = {"train.epochs": [1, 2], "model.width": list(range(1, k // 2 + 1))}, list(range(k // 2 * 2))
    yield results.look("a", chosen, seeds=n, grid=grid, against="effects")
    yield results.look("a", chosen, seeds=n, grid=grid)
    yield results.look("a", chosen, seeds=n, grid=grid, against="all")
    for pair in itertools.combinations(range(k // 2), 2):
        cells = [*pair, *(k // 2 + i for i in pair)]
        smaller = {"train.epochs": [1, 2], "model.width": [p + 1 for p in pair]}
        yield results.look("a", cells, seeds=n, grid=smaller, against="effects")


def best_seeds(results: Results, k: int, n: int) -> Verdicts:
    """Looks at all seeds, then plans those in which the best variant is best."""
    chosen = list(range(k))
    yield results.look("a", chosen, seeds=n)
    d = results.values[0][1, :n] - results.values[0][0, :n]
    yield results.look("a", chosen, seeds=[int(i) for i in np.argsort(d)[n // 2 :]])


def compare_all(results: Results, k: int, n: int) -> Verdicts:
    """A study, then dawn.compare of each pair of its variants."""
    chosen = list(range(k))
    yield results.look("a", chosen, seeds=n)
    for base, other in itertools.combinations(chosen, 2):
        yield results.compare("a", base, other)


def everything(results: Results, k: int, n: int) -> Verdicts:
    """One after the other: a study of half the variants, the rest one by one, each base, each measure, more seeds."""
    half = max(2, k // 2)
    for size in range(half, k + 1):
        yield results.look("a", list(range(size)), seeds=n)
    for base in range(k):
        yield results.look("a", list(range(k)), seeds=n, against=base)
    for measure in SHOWN:
        yield results.look("a", list(range(k)), seeds=n, measure=measure, against="all")
    for more in (n + 2, 2 * n, 3 * n):
        yield results.look("b", list(range(k)), seeds=more, label="w", against="all")


RULES: dict[str, tuple[Rule, tuple[tuple[int, int], ...], int]] = {  # variants and seeds; the most seeds over these
    "delete_all_but_best": (delete_all_but_best, ((3, 5), (5, 5), (9, 5), (6, 10)), 1),
    "delete_worst": (delete_worst, ((9, 10), (5, 5)), 1),
    "sequential_best": (sequential_best, ((9, 20), (4, 8)), 1),
    "add_one": (add_one, ((9, 5), (6, 10)), 1),
    "each_base": (each_base, ((5, 5), (9, 5)), 1),
    "rename_and_double": (rename_and_double, ((2, 3), (4, 3)), 16),
    "each_measure": (each_measure, ((2, 5), (5, 5)), 1),
    "holm_then_dunnett": (holm_then_dunnett, ((5, 5), (9, 5)), 1),
    "dunnett_then_delete": (dunnett_then_delete, ((9, 3),), 1),
    "partial_then_delete": (partial_then_delete, ((9, 5),), 1),
    "new_file": (new_file, ((9, 5),), 1),
    "add_against_worst": (add_against_worst, ((9, 5),), 1),
    "add_many": (add_many, ((9, 5), (9, 10)), 1),
    "best_of_all": (best_of_all, ((5, 5),), 1),
    "every_pair": (every_pair, ((4, 5),), 1),
    "two_files": (two_files, ((9, 5),), 1),
    "one_file_each": (one_file_each, ((9, 5),), 1),
    "grid_effects": (grid_effects, ((6, 5),), 1),
    "best_seeds": (best_seeds, ((4, 8),), 1),
    "compare_all": (compare_all, ((5, 5),), 1),
    "everything": (everything, ((4, 5), (5, 10)), 3),
}


def wrong(
    rule: str,
    variants: int,
    seeds: int,
    studies: int,
    spread: str = "normal",
    common: float = 0.5,
    forget: bool = False,
) -> float:
    """The fraction of studies that ever say better or worse though nothing differs.

    With ``forget`` the history is deleted before each look: what a study would say without one.
    """
    steps, _, times = RULES[rule]
    rng = np.random.default_rng([variants, seeds, *f"{rule}{spread}{common}".encode()])
    results, found = Results(variants, seeds * times), 0
    results.forget = forget
    with pytest.MonkeyPatch.context() as patch:
        in_haste(patch, results)
        for _ in range(studies):
            results.fill(draw(rng, variants, seeds * times, spread, common))
            found += any(v.kind in ("better", "worse") for step in steps(results, variants, seeds) for v in step)
    results.close()
    return found / studies


def draw(rng: np.random.Generator, variants: int, seeds: int, spread: str, common: float) -> np.ndarray:
    """Values (measures, variants, seeds) of measures that are independent; accuracies around 93."""
    sample = SPREADS[spread]
    own = sample(rng, (len(SHOWN), variants, seeds)) * (1 - common) ** 0.5
    return 93 + 0.15 * (own + sample(rng, (len(SHOWN), 1, seeds)) * common**0.5)


def power_of_added(seeds: int, effect: float, studies: int) -> tuple[float, float]:
    """How often a variant that is better by ``effect`` standard deviations of the difference of a seed is found.

    Planned alone with its base, and added after a look at the base and another variant.
    """
    rng, results, found = np.random.default_rng([seeds, int(100 * effect)]), Results(3, seeds), [0, 0]
    with pytest.MonkeyPatch.context() as patch:
        in_haste(patch, results)
        for _ in range(studies):
            values = draw(rng, 3, seeds, "normal", 0.5)
            values[:, 2] += 0.15 * effect
            for place, first in enumerate(([0, 2], [0, 1])):
                results.fill(values)
                results.look("a", first, seeds=seeds)
                found[place] += results.look("a", sorted({*first, 2}), seeds=seeds)[-1].kind == "better"
    results.close()
    return found[0] / studies, found[1] / studies


def print_power(studies: int) -> None:
    """The table of power."""
    print("\n| seeds | difference | planned, alone, % | added, % |\n|---:|---:|---:|---:|")
    for seeds, effects in ((5, (1.73, 3.0, 4.9)), (10, (1.02, 1.5, 1.89))):
        for effect in effects:
            planned, added = power_of_added(seeds, effect, studies)
            print(f"| {seeds} | {effect:g} std | {100 * planned:.0f} | {100 * added:.0f} |", flush=True)


def main() -> None:
    """Print the table of false verdicts and that of power as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=500, help="simulated studies in each cell (500)")
    parser.add_argument("--rules", nargs="*", choices=RULES, default=list(RULES), help="what a user does (all)")
    parser.add_argument("--spread", choices=SPREADS, default="normal", help="of the values (normal)")
    parser.add_argument("--power", action="store_true", help="the power of an added variant, and no false verdicts")
    args = parser.parse_args()
    if args.power:
        print_power(args.studies)
        return
    print("| what a user does | variants, seeds | false verdicts, % |\n|---|---|---:|", flush=True)
    for rule in args.rules:
        steps, cells, _ = RULES[rule]
        for variants, seeds in cells:
            rate = wrong(rule, variants, seeds, args.studies, args.spread)
            error = 100 * (rate * (1 - rate) / args.studies) ** 0.5
            print(f"| {(steps.__doc__ or rule).rstrip('.')} | {variants}, {seeds} | {100 * rate:.1f} ± {error:.1f} |",
                  flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
