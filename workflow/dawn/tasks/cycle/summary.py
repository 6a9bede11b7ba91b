"""``dawn.summary`` for a CycleGAN: its claim, what was trained, the measures in both directions, each seed."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from dawn.report.measured import by_seed, equal_seeds, figures, seeds_of
from dawn.report.numbers import DASH, count, described, interval
from dawn.report.page import Block, Heading, Paragraph, Table
from dawn.results.measures import MEASURES
from dawn.results.run import Run
from dawn.tasks.cycle.task import DIRECTIONS

SHOWN = [
    MEASURES[key]
    for key in ("psnr", "psnr_above_identity", "ssim", "target_accuracy", "kid", "cycle_error", "cycle_error_noise")
]
FIGURES = {
    "cycle-images": "Source, translation and cycle of the first test images",
    "cycle-progress": "Translations along the training",
    "cycle-curves": "Losses and measures by epoch",
}


def claim(run: Run) -> str:
    """The result in one line."""
    metrics, seeds = run.metrics, seeds_of(run)
    above, seen, error = (MEASURES[key] for key in ("psnr_above_identity", "target_accuracy", "cycle_error"))
    if metrics.get(above.key):
        return (
            f"Translations {described(metrics[above.key], above.digits, above.suffix)} above the identity over {seeds}"
        )
    if metrics.get(seen.key):
        accuracy = described(percent(metrics[seen.key]), seen.digits - 2, " %")
        return f"Judges see the target in {accuracy} over {seeds}"
    return f"Cycle error {described(metrics[error.key], error.digits, error.suffix)} over {seeds}"


def result(run: Run) -> list[Block]:
    """Return what was trained, figures, measures in both directions, each seed."""
    return [
        *about(run),
        *equal_seeds(run.seeds),
        *figures(run, FIGURES),
        *measures_table(run),
        *by_seed(run, [measure for measure in SHOWN if run.metrics.get(measure.key)]),
    ]


def about(run: Run) -> list[Block]:
    """Return what was trained, and on which images it was measured."""
    cycle, evaluation, trainings, data = run.experiment.cycle, run.evaluations[0], run.trainings, run.provenance["data"]
    (a, b), counts, images = evaluation["names"], data["counts"], evaluation["images"]
    side = data["shape"][0]
    seconds = math.fsum(training["seconds"] for training in trainings) / len(trainings)
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
    """Say what shows how good translations are where no truth is known."""
    if not judges:
        return "No truth is known and there are no judges, so only the cycle is measured."
    right = ", ".join(f"{judge['accuracy']:.1f} %" for judge in judges)
    return (f"No truth is known: {count(len(judges), 'classifier')} of all classes, right on {right} of the test "
            "split, judge whether the translations look like the target.")  # fmt: skip


def percent(fractions: Mapping[str, Any]) -> dict[str, Any]:
    """A spread of fractions in percent."""
    return {key: None if number is None else 100 * number for key, number in fractions.items()}


def measures_table(run: Run) -> list[Block]:
    """Each measure in both directions with its interval over seeds, and what no translation scores."""
    rows = []
    for m in SHOWN:
        for suffix, direction in DIRECTIONS.items():
            if spread := run.metrics.get(m.key + suffix):
                known = run.evaluations[0]["measures"][m.key + suffix].get("references", {})
                marks = [f"{known[key]['value']:.{m.digits}f}" if key in known else DASH
                         for key in ("identity", "mean_image", "real")]  # fmt: skip
                rows.append((m.name, direction, m.better, interval(spread, m.digits, m.suffix), *marks))
    heads = ("measure", "direction", "better", "translations (95 % interval over seeds)", "identity", "mean image",
             "real images")  # fmt: skip
    noise = run.evaluations[0]["measures"]["cycle_error_noise"]["noise"]
    return [
        Heading("Measures"),
        Paragraph(
            "Identity: the untranslated image. Mean image: that of the target's train images. Real images: those of "
            "the target's test split; for KID-judge, one half of them against the other. Noise: of a standard "
            f"deviation of {noise:g} of 255 levels; a generator that hides the source in it loses it there."
        ),
        Table(heads, rows),
    ]
