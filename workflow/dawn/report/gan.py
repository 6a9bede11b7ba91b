"""The result of a GAN as parts of a page: its claim, what was trained and measured, the measures, each seed."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dawn.config.experiment import Experiment
from dawn.report.gan_measures import REFERENCES, Evaluations, measured, over_seeds, reference
from dawn.report.numbers import DASH, count, described, interval, limits, std
from dawn.report.page import Block, Bullets, Heading, Image, Paragraph, Table
from dawn.results.measures import MEASURES

FIGURES = {  # of dawn.gan_plot: what they show
    "samples": "Samples by class, in the order drawn",
    "progress": "Samples of the same latent vectors along the training",
    "measures": "Each measure with its references",
}
LOSSES = {"wasserstein": "Wasserstein", "dcgan": "binary cross-entropy (DCGAN's)", "hinge": "hinge",
          "relativistic": "relativistic"}  # fmt: skip
SEEDS = ("kid", "fd", "precision", "recall", "copied")  # measures of a seed's row
KID, COPIED, SECONDS = MEASURES["kid"], MEASURES["copied"], MEASURES["seconds"]


def claim(evaluations: Evaluations, metrics: Mapping[str, Any]) -> str:
    """The result in one line; ``missing_seeds`` are there after a run that did not finish all."""
    n, missing = len(evaluations), metrics.get("missing_seeds")
    seeds = count(n, "seed")
    if missing:
        seeds = f"{n} of {n + len(missing)} seeds (not finished: {', '.join(map(str, missing))})"
    found = over_seeds(evaluations, "kid")
    value = interval(found, KID.digits) + " by its images" if n == 1 else described(found, KID.digits)
    return f"{KID.name} {value} over {seeds}"


def about(experiment: Experiment, evaluations: Evaluations, trainings: Sequence[Mapping[str, Any]],
          data: Mapping[str, Any]) -> list[Block]:  # fmt: skip
    """What was trained, and on which images it was measured; ``data`` is dataset.json."""
    gan, first, training = experiment.gan, evaluations[0], trainings[0]
    images, judges = first["images"], first["judges"]
    sides = {net.architecture for net in (gan.generator, gan.critic)}
    kind = f"{'A class-conditional' if gan.conditional else 'An unconditional'} GAN ({' and '.join(sorted(sides))})"
    accuracy = ", ".join(f"{judge['accuracy']:.1f}" for judge in judges)
    return [
        Paragraph(
            f"{kind} with {training['parameters']:,} parameters was trained with the {LOSSES[gan.loss]} loss on "
            f"{data['counts']['train']:,} train images of {data['shape'][0]} x {data['shape'][1]} pixels in "
            f"{len(data['classes'])} classes, for {training['epochs']:g} epochs of the critic and "
            f"{training['generator_steps']:,} steps of the generator; it took "
            f"{interval(mean_of([each['seconds'] for each in trainings]), 0, ' s')}."
        ),
        Paragraph(
            f"{images['samples']:,} samples of each seed are compared with the {images['test']:,} images of the test "
            "split, which neither the GAN nor a judge was trained on. "
            + ("The judge is a classifier" if len(judges) == 1 else f"The judges are {len(judges)} classifiers")
            + f" of the preset {experiment.judge.preset}, with a test accuracy of {accuracy} %."
        ),
        Paragraph(
            "KID-judge and FD-judge are distances in the features of these judges. They are never a KID or an FID: "
            "those use the features of Inception and cannot be compared with numbers on this page."
        ),
    ]  # fmt: skip


def mean_of(values: Sequence[float]) -> dict[str, float | None]:
    """A mean without interval, as ``interval`` takes it."""
    return {"mean": math.fsum(values) / len(values), "low": None, "high": None}


def reading(evaluations: Evaluations) -> list[Block]:
    """What the value of the primary measure means: its place between floor and ceilings, and the other layers."""
    own, known = over_seeds(evaluations, "kid")["mean"], reference(evaluations, "kid")
    assert own is not None
    items = []
    if (floor := known.get(REFERENCES["floor"])) is not None:
        items.append(f"floor: one half of the test images scores {floor:.{KID.digits}f} against the other half")
    if (copied := known.get(REFERENCES["copier"])) is not None:
        items.append(f"perfect copier: train images in place of samples score {copied:.{KID.digits}f}")
    ceilings = {name: known[REFERENCES[key]] for key, name in
                (("blur", "blurred train images"), ("one_class", "images of one class"), ("noise", "noise"))
                if REFERENCES[key] in known}  # fmt: skip
    items += [f"ceiling: {name} score {value:.{KID.digits}f}"
              + (f"; the samples are at {100 * own / value:,.1f} % of it" if value > 0 else "")
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
    """Whether samples are copies of train images."""
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
    names = [name for name in dict.fromkeys(REFERENCES.values()) if any(name in found for found in known.values())]
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
    """Of each class the fraction of the samples that the judges assign to it."""
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


def images(folder: Path | None) -> list[Block]:
    """The figures that are in the folder."""
    found = {folder / f"gan-{name}.png": text for name, text in FIGURES.items()} if folder else {}
    return [Image(path, text) for path, text in found.items() if path.is_file()]
