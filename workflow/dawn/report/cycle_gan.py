"""The result of a CycleGAN as parts of a page: its claim, what was trained, the measures, each seed."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dawn.config.experiment import Experiment
from dawn.report.numbers import DASH, count, described, interval
from dawn.report.page import Block, Heading, Image, Paragraph, Table

MEASURES = {  # name, unit, better, digits
    "psnr": ("PSNR", "dB", "higher", 2),
    "psnr_above_identity": ("PSNR above the identity's", "dB", "higher", 2),
    "ssim": ("SSIM", "", "higher", 3),
    "target_accuracy": ("target accuracy", "", "higher", 3),
    "kid": ("KID-judge", "", "lower", 3),
    "cycle_error": ("cycle error", "levels", "lower", 2),
    "cycle_error_noise": ("cycle error with noise on the translation", "levels", "lower", 2),
}
DIRECTIONS = {"": "mean of both", "_to_b": "A to B", "_to_a": "B to A"}
FIGURES = {
    "images": "Source, translation and cycle of the first test images",
    "progress": "Translations along the training",
    "curves": "Losses and measures by epoch",
}


def claim(metrics: Mapping[str, Any]) -> str:
    """The result in one line."""
    seeds = count(metrics["seeds"], "seed")
    if "psnr_above_identity" in metrics:
        return f"Translations {described(metrics['psnr_above_identity'], 2, ' dB')} above the identity over {seeds}"
    if "target_accuracy" in metrics:
        return f"Judges see the target in {described(percent(metrics['target_accuracy']), 1, ' %')} over {seeds}"
    return f"Cycle error {described(metrics['cycle_error'], 2, ' levels')} over {seeds}"


def about(experiment: Experiment, evaluation: Mapping[str, Any], trainings: Sequence[Mapping[str, Any]],
          data: Mapping[str, Any]) -> list[Block]:  # fmt: skip
    """What was trained, and on which images it was measured; ``data`` is domains.json."""
    cycle, (a, b), counts, images = experiment.cycle, evaluation["names"], data["counts"], evaluation["images"]
    side = data["shape"][0]
    seconds = math.fsum(each["seconds"] for each in trainings) / len(trainings)
    pairs = "on pairs, without critics" if cycle.pairs else "without pairs"
    measured = (
        "Each is known in both domains, so the translations are compared with the truth."
        if data["paired"] else without_truth(evaluation["judges"])
    )  # fmt: skip
    return [
        Paragraph(
            f"Two generators and two critics with {trainings[0]['parameters']:,} parameters were trained {pairs} on "
            f"{counts['domain_a_train']:,} images of domain A ({a}) and {counts['domain_b_train']:,} of domain B ({b}) "
            f"of {side} x {side} pixels, for {trainings[0]['epochs']:g} epochs; it took {seconds:,.0f} s."
        ),
        Paragraph(
            f"All measures are of the {images['a']:,} and {images['b']:,} test images, on which nothing was trained. "
            + measured
        ),
    ]  # fmt: skip


def without_truth(judges: Sequence[Mapping[str, Any]]) -> str:
    """What tells how good translations are where no truth is known."""
    if not judges:
        return "No truth is known and there are no judges, so only the cycle is measured."
    right = ", ".join(f"{judge['accuracy']:.1f} %" for judge in judges)
    return (f"No truth is known: {count(len(judges), 'classifier')} of all classes, right on {right} of the test "
            "split, judge whether the translations look like the target.")  # fmt: skip


def percent(found: Mapping[str, Any]) -> dict[str, Any]:
    """A spread of fractions in percent."""
    return {key: None if number is None else 100 * number for key, number in found.items()}


def measures_table(evaluations: Sequence[Mapping[str, Any]], metrics: Mapping[str, Any]) -> list[Block]:
    """Each measure in both directions with its interval over seeds, and what no translation scores."""
    rows = []
    for name, (text, unit, better, digits) in MEASURES.items():
        for suffix, direction in DIRECTIONS.items():
            if (found := metrics.get(name + suffix)) is not None:
                known = evaluations[0]["measures"][name + suffix].get("references", {})
                marks = [f"{known[key]['value']:.{digits}f}" if key in known else DASH
                         for key in ("identity", "mean_image", "real")]  # fmt: skip
                rows.append((text, direction, better, interval(found, digits, f" {unit}".rstrip()), *marks))
    heads = ("measure", "direction", "better", "translations (95 % interval over seeds)", "identity", "mean image",
             "real images")  # fmt: skip
    noise = evaluations[0]["measures"]["cycle_error_noise"]["noise"]
    return [
        Heading("Measures"),
        Paragraph(
            "Identity: the untranslated image. Mean image: that of the target's train images. Real images: those of "
            "the target's test split; for KID-judge, one half of them against the other. Noise: of a standard "
            f"deviation of {noise:g} of 255 levels; a generator that hides the source in it loses it there."
        ),
        Table(heads, rows),
    ]


def seeds_table(evaluations: Sequence[Mapping[str, Any]], trainings: Sequence[Mapping[str, Any]]) -> list[Block]:
    """A row for each seed."""
    keys = [key for key in MEASURES if key in evaluations[0]["measures"]]
    rows = [
        (str(training["seed"]), *(f"{evaluation['measures'][key]['value']:.{MEASURES[key][3]}f}" for key in keys),
         f"{training['seconds']:,.1f}")
        for evaluation, training in zip(evaluations, trainings, strict=True)
    ]  # fmt: skip
    return [Heading("Seeds"), Table(("seed", *(MEASURES[key][0] for key in keys), "seconds of training"), rows)]


def images(folder: Path | None) -> list[Block]:
    """The figures that are in the folder."""
    found = {folder / f"cycle-{name}.png": text for name, text in FIGURES.items()} if folder else {}
    return [Image(path, text) for path, text in found.items() if path.is_file()]
