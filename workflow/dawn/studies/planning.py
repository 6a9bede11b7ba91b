"""What a study costs and what it can detect, in words, before it starts. Imports no torch.

Finished seeds show what one more takes; before there is one, the times of dawn.timing do. Counted are the clock, what
is excluded from it, the final evaluation and the start of two processes.
"""

import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dawn.config.experiment import Experiment
from dawn.config.plan import Plan, contrasts, that_matters
from dawn.config.records import Evaluation, OfSplits, Timing, Training
from dawn.core.cli import InputError
from dawn.core.reading import read_json
from dawn.report.numbers import count
from dawn.results.measures import MEASURES, value
from dawn.studies import changes, history
from dawn.studies.power import TTest, detectable, power, seeds_needed
from dawn.studies.sequential import levels
from dawn.studies.variants import finished

CIFAR10 = {"train": 50_000, "test": 10_000}  # images, where the data is not unpacked yet
VIEWS = {"none": 1, "mirror": 2, "six": 6, "six_equal": 6}
STARTS = (4.0, 20.0)  # seconds a seed: two processes that import torch and load the data, and Snakemake between them
COMPILING = (10.0, 120.0)  # seconds of torch.compile or of capturing a CUDA graph
DRIFT = (0.8, 1.7)  # the speed of a machine within an hour over that at the moment; docs/results.md has measured 1.7
TIMING = "the same command with study_timing in place of study takes some"

Span = tuple[float, float]  # lowest and highest


@dataclass(frozen=True)
class Estimate:
    """The cost of one variant: seeds to train, at least and at most, and seconds of one; None without a measurement."""

    name: str
    left: tuple[int, int]
    seconds: Span | None
    source: str


def outlook(plan: Plan, data: Path) -> str:
    """Return all lines: seeds, cost, power, and what was seen before."""
    images = images_of(plan, data)
    return "\n".join([*costs(plan, estimate(plan, data)), *detection(plan, images), *seen_before(plan, images)])


def images_of(plan: Plan, data: Path) -> int | None:
    """Return the number of images that decide; None where the data are not read yet."""
    if plan.study.split == "holdout":
        return plan.shared.data.holdout
    dataset = data / "dataset.json"
    return int(read_json(dataset, OfSplits)["counts"]["test"]) if dataset.exists() else None


def costs(plan: Plan, estimates: list[Estimate]) -> list[str]:
    """Return a line a variant, then their sum in hours and dollars."""
    counts, variants = plan.counts, len(estimates)
    width = max(len(e.name) for e in estimates)
    left = _range(*(sum(e.left[end] for e in estimates) for end in (0, 1)))
    lines = [f"study {plan.name}: {variants} variants x {_range(counts[0], counts[-1])} seeds, {left} trainings to do"]
    for e in estimates:
        cost = "" if e.seconds is None else f"  {durations(e.seconds)} each"
        lines.append(f"  {e.name:{width}}  {_range(*e.left):>8} to do{cost}  ({e.source})")
    known = [(e.left, e.seconds) for e in estimates if e.seconds is not None]
    if not known:
        timed = "timing" in plan.shared.declared.sections
        first = TIMING if timed else "the first finished seed says"
        return [*lines, f"  no times yet, so no cost: {first}"]
    low, high = (sum(left[end] * seconds[end] for left, seconds in known) for end in (0, 1))
    missing = variants - len(known)
    price = plan.shared.submission.cost_per_hour
    dollars = "set submission.cost_per_hour for dollars"
    if price is not None:
        dollars = f"${price * low / 3600:,.2f} to ${price * high / 3600:,.2f} at ${price:g} an hour"
    less = f", less {missing} not timed" if missing else ""
    return [*lines, f"  in all: {durations((low, high))} one after the other{less}; {dollars}"]


def estimate(plan: Plan, data: Path) -> list[Estimate]:
    """Return an estimate for each variant, from the results and times that are there."""
    dataset = data / "dataset.json"
    hold = plan.shared.data.holdout
    counts = CIFAR10 | {"train": 50_000 - hold, "holdout": hold}
    if dataset.exists():
        counts = read_json(dataset, OfSplits)["counts"]
    estimates = []
    for slug, variant in plan.variants.items():
        run = Path(plan.directory, slug)
        done, timing = finished(run, variant.experiment), run / "timing.json"
        left = max(0, plan.counts[0] - len(done)), max(0, plan.counts[-1] - len(done))
        seconds: Span | None = None
        source = "not timed"
        if done:  # one more is as far from their mean as the speed drifts, and as they were
            taken = [spent(seed) for seed in done]
            mean = statistics.fmean(taken)
            seconds = min(DRIFT[0] * mean, *taken), max(DRIFT[1] * mean, *taken)
            source = f"by {len(done)} trained"
        elif timing.exists():
            times = read_json(timing, Timing)
            seconds, source = predicted(times, variant.experiment, counts), f"timed on {times['device']}"
        total = None if seconds is None else (seconds[0] + STARTS[0], seconds[1] + STARTS[1])
        estimates.append(Estimate(variant.name, left, total, source))
    return estimates


def spent(seed: Path) -> float:
    """Return the seconds that a finished seed took, those of its evaluation included, without process starts."""
    training, evaluation = read_json(seed / "metrics.json", Training), read_json(seed / "evaluation.json", Evaluation)
    evaluated = evaluation.get("seconds", 0)  # of a GAN by phase
    evaluated = sum(evaluated.values()) if isinstance(evaluated, Mapping) else evaluated
    return float(training["seconds"] + sum(training["seconds_untimed"].values()) + evaluated)


def predicted(timing: Mapping[str, Any], experiment: Experiment, counts: Mapping[str, int]) -> Span | None:
    """Predict the seconds of one seed by the times of a step and of a forward pass, on one device."""
    train, rows = experiment.train, timing["rows"]
    times = {r["work"]: r for r in rows if (r["precision"], r["batch"]) == (rows[0]["precision"], train.batch)}
    if set(times) < {"forward", "step"}:
        return None
    steps = _relative_pixels(train.sizes) * math.ceil(train.epochs * (counts["train"] // train.batch))
    monitored = counts["holdout"] if experiment.data.holdout and "holdout" in counts else counts["test"]
    views = 1 + (VIEWS[experiment.evaluate.tta] - 1) * experiment.evaluate.tta_fraction
    images = math.ceil(train.epochs / train.monitor_every) * monitored + views * counts["test"]
    compiling = COMPILING if train.compile or train.cuda_graph else (0.0, 0.0)
    low, high = (
        drift * (steps * times["step"][end] + images * times["forward"][end] / train.batch) + once
        for end, drift, once in zip(("low", "high"), DRIFT, compiling, strict=True)
    )
    return low, high


def _relative_pixels(sizes: tuple[tuple[float, int], ...]) -> float:
    """Return the pixels of all steps over those of as many at the last image size, which is the one that was timed."""
    sizes = sizes or ((0.0, 32),)
    ends = [start for start, _ in sizes[1:]] + [1.0]
    return sum((end - start) * (size / sizes[-1][1]) ** 2 for (start, size), end in zip(sizes, ends, strict=True))


def detection(plan: Plan, images: int | None = None) -> list[str]:
    """Return the power for the difference that matters, and the smallest difference detected four times in five."""
    study, measure, matters = plan.study, MEASURES[plan.measure], that_matters(plan.study.difference, images)
    spread, source = _spread(plan)
    if spread is None:
        return ["  no spread is known, so no power: set spread, the standard deviation that seeds will have"]
    comparisons = contrasts(study)
    squares = max(([w**2 for w in c["weights"].values()] for c in comparisons), key=sum)
    std, parts = spread * math.sqrt(sum(squares)), tuple(square / sum(squares) for square in squares)
    n, batches = plan.counts[-1], {variant.experiment.main.batch for variant in plan.variants.values()}
    if n < 2:
        return ["  one seed has no spread, so it detects nothing"]
    fixed = TTest.of_study(study.test, len(comparisons), paired=len(batches) == 1, parts=parts)
    last = replace(fixed, level=levels(plan.counts, fixed.level)[-1])
    chance = f"{'at least ' * (len(plan.counts) > 1)}{100 * power(n, std, matters, last):.0f} %"
    least, needed = detectable(n, std, last), seeds_needed(std, matters, fixed)
    size, assumed = f"{matters:g}{measure.points}", f"{source} {spread:.2g}, seeds that have nothing in common"
    return [
        f"  {count(n, 'seed')} detect a difference of {size} with a chance of {chance}, and one of {least:.2g} four "
        f"times in five ({assumed})",
        f"  a fixed study takes {needed or 'over 10,000'} seeds a variant to detect {size} four times in five",
    ]


def _spread(plan: Plan) -> tuple[float | None, str]:
    """Return the standard deviation within the variants that have finished seeds, else the expected one; what it is.

    At a budget or on the hold-out it is the expected one.
    """
    squares, freedom = 0.0, 0
    for slug, variant in plan.variants.items() if not plan.study.budget and plan.study.split == "test" else ():
        done = finished(Path(plan.directory, slug), variant.experiment)
        kind = plan.shared.declared.evaluation
        measured = [value(read_json(seed / "evaluation.json", kind), plan.measure) for seed in done]
        values = [number for number in measured if number is not None]
        if len(values) > 1:
            squares, freedom = squares + statistics.variance(values) * (len(values) - 1), freedom + len(values) - 1
    if freedom >= 3:
        return math.sqrt(squares / freedom), "measured spread"
    return plan.study.spread, "expected spread"


def seen_before(plan: Plan, images: int | None = None) -> list[str]:
    """Return what is not tested at the full level, because results of these experiments were seen before."""
    look, folder = history.look_of_plan(plan, images), Path(plan.directory)
    try:
        past = history.after(history.read(folder.parent), folder, look)
    except InputError as error:
        return [f"  {error}"]
    return [f"  {text}" for text in changes.in_plan(past, look)]


def durations(span: Span) -> str:
    """Return a range of durations, in the unit in which the longer one is read most easily."""
    size, unit = next(((size, unit) for size, unit in ((3600, "h"), (60, "min")) if span[1] >= 2 * size), (1, "s"))
    low, high = (f"{seconds / size:.{1 if size > 1 else 0}f}" for seconds in span)
    return f"{low} {unit}" if low == high else f"{low} to {high} {unit}"


def _range(low: int, high: int) -> str:
    return str(low) if low == high else f"{low} to {high}"
