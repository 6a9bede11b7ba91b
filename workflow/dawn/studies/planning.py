"""What a study costs and what it can detect, in words, before it starts. Imports no torch."""

import math
import statistics
from dataclasses import replace
from pathlib import Path

from dawn.config.comparisons import contrasts
from dawn.config.plan import Plan
from dawn.core.cli import InputError
from dawn.core.reading import read_json
from dawn.report.numbers import count
from dawn.results.measures import MEASURES, value
from dawn.studies import changes, history
from dawn.studies.cost import Estimate, Span, estimate
from dawn.studies.power import TTest, detectable, power, seeds_needed
from dawn.studies.sequential import levels
from dawn.studies.variants import finished

TIMING = "snakemake study_timing --config study={} takes some"


def outlook(plan: Plan, data: Path) -> str:
    """All lines: seeds, cost, power, and what was seen before."""
    return "\n".join([*costs(plan, estimate(plan, data)), *detection(plan), *seen_before(plan)])


def costs(plan: Plan, estimates: list[Estimate]) -> list[str]:
    """A line a variant, then their sum in hours and dollars."""
    counts, variants = plan.counts, len(estimates)
    width = max(len(e.name) for e in estimates)
    seeds = f"{counts[-1]} seeds" if len(counts) == 1 else f"{counts[0]} to {counts[-1]} seeds"
    left = _range(*(sum(e.left[end] for e in estimates) for end in (0, 1)))
    lines = [f"study {plan.name}: {variants} variants x {seeds}, {left} trainings to do"]
    for e in estimates:
        cost = "" if e.seconds is None else f"  {durations(e.seconds)} each"
        lines.append(f"  {e.name:{width}}  {_range(*e.left):>8} to do{cost}  ({e.source})")
    known = [(e.left, e.seconds) for e in estimates if e.seconds is not None]
    if not known:
        timed = "timing" in plan.shared.declared.sections
        first = TIMING.format(plan.name) if timed else "the first finished seed says"
        return [*lines, f"  no times yet, so no cost: {first}"]
    low, high = (sum(left[end] * seconds[end] for left, seconds in known) for end in (0, 1))
    missing = variants - len(known)
    price = plan.shared.submission.cost_per_hour
    dollars = "set submission.cost_per_hour for dollars"
    if price is not None:
        dollars = f"${price * low / 3600:,.2f} to ${price * high / 3600:,.2f} at ${price:g} an hour"
    less = f", less {missing} not timed" if missing else ""
    return [*lines, f"  in all: {durations((low, high))} one after the other{less}; {dollars}"]


def detection(plan: Plan) -> list[str]:
    """The power for the difference that matters, and the smallest difference that is detected four times in five."""
    study, measure = plan.study, MEASURES[plan.measure]
    spread, source = _spread(plan)
    if spread is None:
        return ["  no spread is known, so no power: set spread, the standard deviation that seeds will have"]
    comparisons = contrasts(study)
    squares = max(([w**2 for w in c["weights"].values()] for c in comparisons), key=sum)
    std, parts = spread * math.sqrt(sum(squares)), tuple(square / sum(squares) for square in squares)
    n, (last, fixed) = plan.counts[-1], _tests(plan, len(comparisons), parts)
    if n < 2:
        return ["  one seed has no spread, so it detects nothing"]
    chance = f"{'at least ' * (len(plan.counts) > 1)}{100 * power(n, std, plan.margin, last):.0f} %"
    least, needed = detectable(n, std, last), seeds_needed(std, plan.margin, fixed)
    size, assumed = f"{plan.margin:g}{measure.points}", f"{source} {spread:.2g}, seeds that have nothing in common"
    return [
        f"  {count(n, 'seed')} detect a difference of {size} with a chance of {chance}, and one of {least:.2g} four "
        f"times in five ({assumed})",
        f"  a fixed study takes {needed or 'over 10,000'} seeds a variant to detect {size} four times in five",
    ]


def seen_before(plan: Plan) -> list[str]:
    """What is not tested at the full level, because results of these experiments were seen before."""
    look, folder = history.look_of_plan(plan), Path(plan.directory)
    try:
        past = history.after(history.read(folder.parent), folder, look)
    except InputError as error:
        return [f"  {error}"]
    return [f"  {text}" for text in changes.in_plan(past, look)]


def _tests(plan: Plan, comparisons: int, parts: tuple[float, ...]) -> tuple[TTest, TTest]:
    """How a comparison is tested: at the last analysis, and in a fixed study."""
    experiments = [variant.experiment for variant in plan.variants.values()]
    batches = {e.main.batch for e in experiments}
    fixed = TTest.of_study(plan.study.test, comparisons, paired=len(batches) == 1, parts=parts)
    return replace(fixed, level=levels(plan.counts, fixed.level)[-1]), fixed


def _spread(plan: Plan) -> tuple[float | None, str]:
    """The standard deviation within the variants that have finished seeds, else the expected one; what it is.

    At a budget or on the hold-out it is the expected one.
    """
    if plan.study.budget or plan.study.split == "holdout":
        return plan.study.spread, "expected spread"
    squares, freedom = 0.0, 0
    for slug, variant in plan.variants.items():
        done = finished(Path(plan.directory, slug), variant.experiment)
        found = [value(read_json(seed / "evaluation.json"), plan.measure) for seed in done]
        values = [number for number in found if number is not None]
        if len(values) > 1:
            squares, freedom = squares + statistics.variance(values) * (len(values) - 1), freedom + len(values) - 1
    if freedom >= 3:
        return math.sqrt(squares / freedom), "measured spread"
    return plan.study.spread, "expected spread"


def durations(span: Span) -> str:
    """A range of durations, in the unit in which the longer one is read most easily."""
    size, unit = next(((size, unit) for size, unit in ((3600, "h"), (60, "min")) if span[1] >= 2 * size), (1, "s"))
    low, high = (f"{seconds / size:.{1 if size > 1 else 0}f}" for seconds in span)
    return f"{low} {unit}" if low == high else f"{low} to {high} {unit}"


def _range(low: int, high: int) -> str:
    return str(low) if low == high else f"{low} to {high}"
