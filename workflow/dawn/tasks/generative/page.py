"""The measures of generated images as parts of a page: with references, for each seed, for each class, by whom."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from dawn.config.task import Measure
from dawn.report.numbers import DASH, interval, limits, std
from dawn.report.page import Block, Bullets, Heading, Paragraph, Table
from dawn.results.measures import MEASURES
from dawn.results.measures import over_seeds as over
from dawn.tasks.generative.figures.references import Panel
from dawn.tasks.generative.measures import OF_SAMPLES

Evaluations = Sequence[Mapping[str, Any]]  # evaluation.json of each seed
REFERENCES = {  # sets of images that are no samples: key of evaluation.json, name
    "floor": "real images",  # one half of test against the other; what needs no second set: all of test
    "test": "real images",
    "copier": "copier of train",
    "blur": "blurred train",
    "one_class": "one class",
    "noise": "noise",
}


def measured(evaluations: Evaluations) -> dict[str, Measure]:
    """The measures that every seed has, in the order of a page."""
    return {measure.key: measure for measure in OF_SAMPLES if all(measure.key in e["measures"] for e in evaluations)}


def over_seeds(evaluations: Evaluations, key: str) -> dict[str, float | None]:
    """Mean, std and 95 % interval of the mean over the seeds; of a single seed its interval over the images."""
    summary = over(evaluations, MEASURES[key])
    assert summary is not None
    return summary


def reference(evaluations: Evaluations, key: str) -> dict[str, float]:
    """Return what the sets that are no samples score, by name; the same for all seeds."""
    known = evaluations[0]["measures"][key].get("references", {})
    scores: dict[str, float] = {}
    for which, name in REFERENCES.items():  # the first of several sets with one name counts
        if which in known:
            scores.setdefault(name, float(known[which]["value"]))
    return scores


def panels(evaluations: Evaluations) -> list[Panel]:
    """A panel of the figure for each measure."""
    drawn = []
    for key, measure in measured(evaluations).items():
        values = [float(evaluation["measures"][key]["value"]) for evaluation in evaluations]
        low, high = (over_seeds(evaluations, key)[name] for name in ("low", "high"))
        ends = None if low is None or high is None else (low, high)
        drawn.append(Panel(measure.title, values, ends, reference(evaluations, key), measure.log))
    return drawn


def over_judges(evaluation: Mapping[str, Any]) -> str:
    """Return how many images and judges the measures are of."""
    images, judges = evaluation["images"], len(evaluation["judges"])
    mean = f"Means over {judges} judges. " if judges > 1 else "One judge. "
    return f"{mean}{images['samples']:,} samples of each seed against {images['test']:,} test images."


SEEDS = ("kid", "fd", "precision", "recall", "copied")  # measures of a seed's row
KID, COPIED, SECONDS = MEASURES["kid"], MEASURES["copied"], MEASURES["seconds"]


def mean_of(values: Sequence[float]) -> dict[str, float | None]:
    """A mean without interval, as ``interval`` takes it."""
    return {"mean": math.fsum(values) / len(values), "low": None, "high": None}


def reading(evaluations: Evaluations) -> list[Block]:
    """Say what the value of the primary measure means: its place between floor and ceilings, and the other layers."""
    samples, known = over_seeds(evaluations, "kid")["mean"], reference(evaluations, "kid")
    assert samples is not None
    items = []
    if (floor := known.get(REFERENCES["floor"])) is not None:
        items.append(f"floor: one half of the test images scores {floor:.{KID.digits}f} against the other half")
    if (copied := known.get(REFERENCES["copier"])) is not None:
        items.append(f"perfect copier: train images in place of samples score {copied:.{KID.digits}f}")
    ceilings = {name: known[REFERENCES[key]] for key, name in
                (("blur", "blurred train images"), ("one_class", "images of one class"), ("noise", "noise"))
                if REFERENCES[key] in known}  # fmt: skip
    items += [f"ceiling: {name} score {value:.{KID.digits}f}"
              + (f"; the samples are at {100 * samples / value:,.1f} % of it" if value > 0 else "")
              for name, value in ceilings.items()]  # fmt: skip
    return [Heading("What the distance means"), Bullets([*items, *agreement(evaluations), *copies(evaluations)])]


def agreement(evaluations: Evaluations) -> list[str]:
    """The distance in each feature space, by that of blurred images: noise is no measure, since it may be anywhere."""
    parts = []
    for key in ("kid", "kid_middle", "kid_random"):
        blurred = reference(evaluations, key).get(REFERENCES["blur"]) if key in measured(evaluations) else None
        mean = over_seeds(evaluations, key)["mean"] if blurred and blurred > 0 else None
        if blurred and mean is not None:
            name = MEASURES[key].name.partition(", ")[2] or "penultimate layer"
            parts.append(f"{name} {100 * mean / blurred:,.1f} %")
    return [f"relative to blurred train images, by feature space: {', '.join(parts)}"] if len(parts) > 1 else []


def copies(evaluations: Evaluations) -> list[str]:
    """Say whether samples are copies of train images."""
    if "copied" not in measured(evaluations):
        return []
    least = min(evaluation["measures"]["copied"]["p"] for evaluation in evaluations)
    more = "more" if least * len(evaluations) < 0.05 else "no more"
    estimate = interval(over_seeds(evaluations, "copied"), COPIED.digits, COPIED.suffix)
    return [
        f"copies of train images: {more} than among test images by chance (estimate: {estimate} of the samples; "
        f"smallest p-value of a seed {least:.2g})"
    ]


def measures_table(evaluations: Evaluations) -> list[Block]:
    """Each measure with its interval and references."""
    known = {key: reference(evaluations, key) for key in measured(evaluations)}
    names = [name for name in dict.fromkeys(REFERENCES.values()) if any(name in scores for scores in known.values())]
    rows = []
    for key, measure in measured(evaluations).items():
        value, d = over_seeds(evaluations, key), measure.digits
        marks = [f"{known[key][name]:,.{d}f}" if name in known[key] else DASH for name in names]
        rows.append((measure.title, measure.better, f"{value['mean']:,.{d}f}", limits(value, d), std(value, d), *marks))
    what = (
        "of the mean over the seeds" if len(evaluations) > 1 else "over the images, since a single seed has no spread"
    )
    return [
        Heading("Measures"),
        Paragraph(f"95 % intervals are {what}. The columns on the right are what sets that are no samples score."),
        Table(("measure", "better", "samples", "95 % interval", "std", *names), rows),
    ]


def seeds_table(evaluations: Evaluations, trainings: Sequence[Mapping[str, Any]]) -> list[Block]:
    """A row for each seed; the intervals are over the images."""
    keys = [key for key in SEEDS if key in measured(evaluations)]
    rows = []
    for evaluation, training in zip(evaluations, trainings, strict=True):
        entries = [
            ({**evaluation["measures"][key], "mean": evaluation["measures"][key]["value"]}, MEASURES[key].digits)
            for key in keys
        ]
        rows.append((str(training["seed"]), *(interval(entry, digits) for entry, digits in entries),
                     f"{training['seconds']:,.{SECONDS.digits}f}"))  # fmt: skip
    heads = ("seed", *(MEASURES[key].title for key in keys), SECONDS.title)
    return [Heading("Seeds"), Table(heads, rows, "With 95 % intervals over the images")]


def classes_table(evaluations: Evaluations) -> list[Block]:
    """Return of each class the fraction of the samples that the judges assign to it."""
    rows = []
    for i, name in enumerate(evaluations[0]["class_names"]):
        percent = [100 * evaluation["classes"][i]["value"] for evaluation in evaluations]
        span = f"{min(percent):.1f} to {max(percent):.1f}" if len(percent) > 1 else DASH
        rows.append((name, f"{math.fsum(percent) / len(percent):.1f}", span))
    heads = ("class", "% of the samples", "range of the seeds")
    return [
        Heading("Classes"),
        Paragraph("The class of a sample is the one that a judge sees in it."),
        Table(heads, rows),
    ]


def judges_list(evaluations: Evaluations) -> list[Block]:
    """The judges by their checksums: values of other judges are not comparable."""
    items = [f"judge {judge['seed']}: sha256 {judge['sha256']}" for judge in evaluations[0]["judges"]]
    return [Heading("Judges"), Paragraph("Only values by the same judges can be compared."), Bullets(items)]
