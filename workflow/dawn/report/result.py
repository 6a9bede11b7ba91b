"""The result of an experiment as parts of a page: its claim, its measures over the seeds, and each seed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dawn.report.numbers import DASH, count, described, fraction, interval, limits, std
from dawn.report.page import Block, Bullets, Heading, Paragraph, Table
from dawn.results.measures import MEASURES, OF_CLASSIFIER, Measure

SHOWN = (*OF_CLASSIFIER, MEASURES["seconds"], MEASURES["images_per_s"])
ACCURACY, SECONDS, DOLLARS = (MEASURES[key] for key in ("accuracy", "seconds", "dollars"))


@dataclass(frozen=True)
class Seed:
    """What the page shows of one seed; times in seconds, None where the target was not reached."""

    number: int
    accuracy: float
    seconds: float
    seconds_to_target: float | None


def claim(metrics: Mapping[str, Any]) -> str:
    """The result in one line; ``missing_seeds`` are there after a run that did not finish all."""
    seeds, missing = count(metrics["seeds"], "seed"), metrics.get("missing_seeds")
    if missing:
        names = ", ".join(map(str, missing))
        seeds = f"{metrics['seeds']} of {metrics['seeds'] + len(missing)} seeds (not finished: {names})"
    return f"{described(metrics['accuracy'], ACCURACY.digits, ACCURACY.suffix)} test accuracy over {seeds}"


def result(metrics: Mapping[str, Any]) -> list[Block]:
    """Measures over the seeds, target, price and network."""
    rows = [
        (title(m, m.title), f"{found['mean']:,.{m.digits}f}", limits(found, m.digits),
         std(found, m.digits))
        for m in SHOWN for found in [metrics[m.key]]
    ]  # fmt: skip
    accuracy, dollars = metrics["accuracy"], metrics["dollars"]
    middle = f"median {accuracy['median']:.{ACCURACY.digits}f} %, interquartile mean "
    middle += f"{accuracy['interquartile_mean']:.{ACCURACY.digits}f} %"
    items = [
        *([f"test accuracy: {middle}"] if metrics["seeds"] > 2 else []),
        *target(metrics),
        f"network: {metrics['parameters']:,} parameters, {metrics['flops'] / 1e6:,.1f} MFLOP per image",
        *([f"price of a training: {interval(dollars, DOLLARS.digits, ' dollars')}"] if dollars else []),
    ]
    table = Table(("over the seeds", "mean", "95 % interval", "std"), rows)
    return [Heading("Result"), *warnings(metrics), Bullets(items), table]


def title(measure: Measure, text: str) -> str:
    """A measure as a row of a page that has those of the training too."""
    return f"test {text}" if measure in OF_CLASSIFIER else text


def target(metrics: Mapping[str, Any]) -> list[str]:
    """Who reached the target, and when."""
    found, seeds = metrics["target"], metrics["seeds"]
    goal, reached = f"{found['accuracy']:g} %", found["seeds_in_training"]
    first = f"test accuracy of at least {goal}: {fraction(found)} of the seeds"
    if not reached:
        return [first, f"time to {goal}: not reached in training"]
    time = f"time to {goal}: {interval(found['seconds'], SECONDS.digits, ' s')}"
    if seeds == 1:
        return [first, time]
    expected = interval(found["expected_seconds"], SECONDS.digits, " s")
    return [
        first,
        f"{time}, mean of the {reached} of {seeds} seeds that reached it in training",
        f"expected time to {goal}, the time of failed seeds included: {expected}",
    ]


def warnings(metrics: Mapping[str, Any]) -> list[Block]:
    """A paragraph about seeds that learned nothing or are far from the others, where there are any."""
    chance, apart = metrics["seeds_at_chance"], metrics["seeds_apart"]
    texts = [f"{name(chance)} learned nothing: no better than always naming the most frequent class."] if chance else []
    texts += [f"{name(apart)} far from the median of all seeds."] if apart else []
    few = len({*chance, *apart}) <= metrics["seeds"] // 4
    texts.append("The mean includes them" + (", the interquartile mean does not." if few else "."))
    return [Paragraph(" ".join(texts), bold=True)] if chance or apart else []


def name(seeds: Sequence[int]) -> str:
    """``Seed 3`` or ``Seeds 3, 5``."""
    return f"Seed{'s' * (len(seeds) > 1)} {', '.join(map(str, seeds))}"


def seeds_table(metrics: Mapping[str, Any], seeds: Sequence[Seed]) -> list[Block]:
    """A row for each seed."""
    goal = f"{metrics['target']['accuracy']:g} %"
    rows = [
        (
            str(seed.number),
            f"{seed.accuracy:.{ACCURACY.digits}f}",
            DASH if seed.seconds_to_target is None else f"{seed.seconds_to_target:,.{SECONDS.digits}f}",
            f"{seed.seconds:,.{SECONDS.digits}f}",
            "; ".join(
                text
                for key, text in (("seeds_at_chance", "learned nothing"), ("seeds_apart", "far from the others"))
                if seed.number in metrics[key]
            ),
        )
        for seed in seeds
    ]
    heads = ("seed", f"test {ACCURACY.title}", f"seconds to {goal}", SECONDS.title, "remark")
    return [Heading("Seeds"), Table(heads, rows)]
