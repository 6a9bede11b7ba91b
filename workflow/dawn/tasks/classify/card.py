"""A model card in the format of the Hugging Face Hub: YAML front matter, then Markdown."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from dawn.config.experiment import Experiment
from dawn.core.reading import read_table
from dawn.report.numbers import count, interval, std
from dawn.report.page import Block, Bullets, Heading, Paragraph, Table
from dawn.results.curve import mean
from dawn.results.data_set import named
from dawn.results.measures import MEASURES
from dawn.tasks.classify.summarize import CONFUSION
from dawn.tasks.classify.summary import title

SHOWN = [MEASURES[key] for key in ("accuracy", "top5", "loss", "calibration_error", "train_accuracy")]


@dataclass(frozen=True)
class Card:
    """An experiment and the files that its run left, from which the card is made."""

    experiment: Experiment
    metrics: Mapping[str, Any]
    provenance: Mapping[str, Any]
    training: Mapping[str, Any]  # metrics.json of the first seed
    evaluations: Sequence[Mapping[str, Any]]  # evaluation.json of every seed

    @property
    def data(self) -> Mapping[str, Any]:
        """The content of dataset.json."""
        data: Mapping[str, Any] = self.provenance["data"]
        return data

    @property
    def dataset(self) -> tuple[str, str]:
        """The data set's identifier on the Hub, and its name."""
        return named(self.data)


def front_matter(card: Card) -> str:
    """The YAML that the Hub reads: the task, and each metric as a model-index entry, the licence if one is stated."""
    identifier, name = card.dataset
    measured = [("accuracy", "accuracy", 0.01), ("loss", "loss", 1), ("ece", "calibration_error", 1)]
    metrics = [
        {
            "type": kind,
            "name": title(MEASURES[key], MEASURES[key].name),
            "value": round(card.metrics[key]["mean"] * scale, 6),
        }
        for kind, key, scale in measured
    ]
    result = {
        "task": {"type": "image-classification"},
        "dataset": {"type": identifier, "name": name, "split": "test"},
        "metrics": metrics,
    }
    values = {
        **licence(card.experiment.submission.license),
        "library_name": "pytorch",
        "pipeline_tag": "image-classification",
        "tags": ["image-classification", card.experiment.model.family, "dawn"],
        **({"datasets": [identifier]} if identifier != "custom" else {}),
        "metrics": ["accuracy"],
        "model-index": [{"name": f"{card.experiment.model.family}-{identifier}", "results": [result]}],
    }
    return f"---\n{yaml.safe_dump(values, sort_keys=False, allow_unicode=True)}---\n"


def licence(stated: str | None) -> dict[str, str]:
    """Return the Hub's entries for a licence: an identifier in small letters, or an address."""
    if stated is None:
        return {}
    if "://" in stated:
        return {"license": "other", "license_name": "other", "license_link": stated}
    return {"license": stated.lower()}


def results(card: Card) -> list[Block]:
    """The measures with their intervals over the seeds, calibration, and the classes from the worst on."""
    n = card.metrics["seeds"]
    rows = [
        [title(m, m.name), interval(card.metrics[m.key], m.digits, m.suffix), std(card.metrics[m.key], m.digits)]
        for m in SHOWN
        if m.informative(len(card.data["classes"]))
    ]
    chance = [e["calibration_error_if_calibrated"] for e in card.evaluations]
    return [
        Heading("Results"),
        Paragraph(
            f"Means over {count(n, 'seed')}"
            + (", with 95 % intervals of the mean." if n > 2 else ": no interval, which takes three seeds.")
        ),
        Table(["measure", "mean", "std"], rows),
        Paragraph(
            f"Calibration: a perfectly calibrated network with these confidences would show an error of "
            f"{sum(chance) / len(chance):.4f} by chance alone; the error above is over "
            f"{card.experiment.evaluate.bins} bins of confidence."
        ),
        Table(["class", "recall", "precision"], _classes(card.evaluations), "The classes, the least recalled first"),
    ]


def _classes(evaluations: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """Each class with its mean recall and precision in percent, the least recalled first."""
    rows = []
    for name in evaluations[0]["classes"]:
        means = [mean([e["classes"][name][what] for e in evaluations]) for what in ("recall", "precision")]
        rows.append((means[0] if means[0] is not None else -1.0, name, means))
    return [[name, *("–" if m is None else f"{m:.1f} %" for m in means)] for _, name, means in sorted(rows)]


def confusions(files: Iterable[Path], most: int = 3) -> list[str]:
    """The most frequent errors in the files confusion.csv of all seeds, such as ``cat as dog (12)``."""
    errors: Counter[tuple[str, str]] = Counter()
    for path in files:
        errors.update((row["actual"], row["predicted"]) for row in read_table(path, columns=CONFUSION))
    errors = Counter({pair: n for pair, n in errors.items() if pair[0] != pair[1]})
    return [f"{actual} as {predicted} ({n})" for (actual, predicted), n in errors.most_common(most)]


def limits(card: Card, confused: Sequence[str]) -> list[Block]:
    """Say what the numbers do not show."""
    side, counts = card.data["shape"][0], card.data["counts"]
    watched = card.training["monitored"]
    items = [
        f"The network answers with one of its {len(card.data['classes'])} classes, whatever the image shows; a low "
        "probability is no test of whether an image belongs to any of them.",
        f"Every image is brought to {side} x {side} pixels first; what is only visible at a higher resolution is lost.",
        f"All measures are on {counts['test']:,} test images of the same source as the {counts['train']:,} train "
        "images. Photographs from elsewhere are usually classified worse, and with too much confidence.",
        f"During training the accuracy on the {watched} split was logged. "
        + ("It was the test split: choices made while reading these logs are fitted to it." if watched == "test" else
           "Choices made while reading these logs leave the test split untouched."),
        *([f"Most frequent errors over all seeds: {', '.join(confused)}."] if confused else []),
        *(["No licence is set here: it depends on the images that the network was trained on."]
          if card.experiment.submission.license is None else []),
    ]  # fmt: skip
    return [Heading("Limits"), Bullets(items)]
