"""``dawn.summary`` for a classifier: its claim, its measures over the seeds, and each seed."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dawn.config.task import Measure
from dawn.report.measured import equal_seeds, seeds_of
from dawn.report.numbers import DASH, count, described, ends, fraction, interval, limits, std
from dawn.report.page import Block, Bullets, Heading, Paragraph, Table
from dawn.results.curve import at_target, read_columns
from dawn.results.measures import MEASURES
from dawn.results.outliers import AT_CHANCE, NOT_SHOWN
from dawn.results.run import Run
from dawn.results.statistics import fraction as wilson
from dawn.tasks.classify.task import MEASURES as OF_CLASSIFIER

SHOWN = (*OF_CLASSIFIER, MEASURES["seconds"], MEASURES["images_per_s"])
REMARKS = {
    "seeds_at_chance": AT_CHANCE,
    "seeds_not_above_chance": NOT_SHOWN,
    "seeds_apart": "far from the others",
}
ACCURACY, SECONDS, DOLLARS = (MEASURES[key] for key in ("accuracy", "seconds", "dollars"))


def claim(run: Run) -> str:
    """The result in one line."""
    accuracy = described(run.metrics["accuracy"], ACCURACY.digits, ACCURACY.suffix)
    return f"{accuracy} test accuracy over {seeds_of(run)}"


def result(run: Run) -> list[Block]:
    """Measures over the seeds, target, price and network; then each seed."""
    metrics, classes = run.metrics, len(run.evaluations[0]["classes"])
    rows = [
        (title(m, m.title), f"{metrics[m.key]['mean']:,.{m.digits}f}", limits(metrics[m.key], m.digits),
         std(metrics[m.key], m.digits))
        for m in SHOWN
        if m.informative(classes)
    ]  # fmt: skip
    accuracy, dollars = metrics["accuracy"], metrics["dollars"]
    middle = f"median {accuracy['median']:.{ACCURACY.digits}f} %, interquartile mean "
    middle += f"{accuracy['interquartile_mean']:.{ACCURACY.digits}f} %"
    items = [
        *([f"test accuracy: {middle}"] if metrics["seeds"] > 2 else []),
        *(of_images(run.evaluations[0]) if metrics["seeds"] == 1 else []),
        *(target(metrics) if metrics["target"] else []),
        f"network: {metrics['parameters']:,} parameters, {metrics['flops'] / 1e6:,.1f} MFLOP per image",
        *([f"price of a training: {interval(dollars, DOLLARS.digits, ' dollars')}"] if dollars else []),
        "files of the misclassified test images, the largest loss first: mistakes.csv",
    ]
    table = Table(("over the seeds", "mean", "95 % interval", "std"), rows)
    return [Heading("Result"), *warnings(metrics), Bullets(items), table, *equal_seeds(run.seeds), *seeds_table(run)]


def of_images(evaluation: Mapping[str, Any]) -> list[str]:
    """Say how uncertain the accuracy of one seed is, because its test images are few (Wilson's interval)."""
    images = evaluation["images"]
    right = round(evaluation["accuracy"] * images / 100)
    interval = ends(wilson(right, images), ACCURACY.digits)
    return [f"95 % interval over {count(images, 'test image')}, not over seeds: {interval} %"]


def title(measure: Measure, text: str) -> str:
    """A measure as a row of a page that has those of the training too."""
    return f"test {text}" if measure in OF_CLASSIFIER else text


def target(metrics: Mapping[str, Any]) -> list[str]:
    """Say how many seeds reached the target, and when."""
    target, seeds = metrics["target"], metrics["seeds"]
    goal, reached = f"{target['accuracy']:g} %", target["seeds_in_training"]
    first = f"test accuracy of at least {goal}: {fraction(target)} of the seeds"
    if not reached:
        return [first, f"time to {goal}: not reached in training"]
    time = f"time to {goal}: {interval(target['seconds'], SECONDS.digits, ' s')}"
    if seeds == 1:
        return [first, time]
    expected = interval(target["expected_seconds"], SECONDS.digits, " s")
    return [
        first,
        f"{time}, mean of the {reached} of {seeds} seeds that reached it in training",
        f"expected time to {goal}, the time of failed seeds included: {expected}",
    ]


def warnings(metrics: Mapping[str, Any]) -> list[Block]:
    """A paragraph about seeds at chance or far from the others, where there are any."""
    remarks = REMARKS | {"seeds_apart": "far from the median of all seeds"}
    texts = [f"{name(metrics[key])} {text}." for key, text in remarks.items() if metrics[key]]
    if not texts:
        return []
    few = len({seed for key in remarks for seed in metrics[key]}) <= metrics["seeds"] // 4
    texts.append("The mean includes them" + (", the interquartile mean does not." if few else "."))
    return [Paragraph(" ".join(texts), bold=True)]


def name(seeds: Sequence[int]) -> str:
    """``Seed 3 is`` or ``Seeds 3, 5 are``, to begin a sentence."""
    numbers = ", ".join(map(str, seeds))
    return f"Seeds {numbers} are" if len(seeds) > 1 else f"Seed {numbers} is"


def seeds_table(run: Run) -> list[Block]:
    """A row for each seed."""
    metrics, target = run.metrics, (run.metrics["target"] or {}).get("accuracy")
    rows = []
    for path, evaluation, training in zip(run.seeds, run.evaluations, run.trainings, strict=True):
        seed = training["seed"]
        rows.append((
            str(seed),
            f"{evaluation['accuracy']:.{ACCURACY.digits}f}",
            *([] if target is None else [reached(path, target)]),
            f"{training['seconds']:,.{SECONDS.digits}f}",
            "; ".join(text for key, text in REMARKS.items() if seed in metrics[key]),
        ))  # fmt: skip
    to_target = () if target is None else (f"seconds to {target:g} %",)
    heads = ("seed", f"test {ACCURACY.title}", *to_target, SECONDS.title, "remark")
    return [Heading("Seeds"), Table(heads, rows)]


def reached(seed: Path, target: float) -> str:
    """Return the seconds after which a seed reached the target in training, or a dash."""
    row = at_target(read_columns(seed / "curve.tsv", "accuracy"), target)
    return DASH if row is None else f"{row['seconds']:,.{SECONDS.digits}f}"
