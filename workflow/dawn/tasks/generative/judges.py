"""The judges of a GAN: trained classifiers, and the features that they and untrained ones have of images."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from dawn.config.experiment import Experiment, load
from dawn.config.records import Named
from dawn.core.array_file import Kind
from dawn.core.cli import InputError
from dawn.core.reading import read_json
from dawn.data import dataset
from dawn.data.preprocessing import Preprocessing
from dawn.results.manifest import choices, header, require_same_settings, seed_number, verify
from dawn.tasks.classify.networks.build import restored
from dawn.tasks.classify.records import Evaluation
from dawn.tasks.generative.features import Extractor, Features, untrained

SCALED = 1000  # train images over which the features of a judge have a root mean square of 1
Arrays = dict[str, NDArray[Any]]
# Of the real images: features (n, d) by layer/set, and logits (n, classes).
OF_REAL = dict.fromkeys(("penultimate/test", "middle/test", "random/test", "middle/train", "logits/test"),
                        Kind(np.floating, (None, None)))  # fmt: skip


@dataclass(frozen=True)
class Judge:
    """A trained classifier and an untrained one of the same settings."""

    directory: Path
    trained: Extractor
    untrained: Extractor

    def features(self, images: NDArray[np.uint8]) -> Arrays:
        """Features of images uint8 (n, h, w, 3) by layer, float32 (n, d), and ``logits`` float32 (n, classes)."""
        seen = self.trained(images)
        return {"penultimate": seen.penultimate, "middle": seen.middle,
                "random": self.untrained(images).penultimate, "logits": seen.logits}  # fmt: skip

    def of_train(self, images: NDArray[np.uint8]) -> Features:
        """Features of all train images, of which only the trained network's are wanted."""
        return self.trained(images)

    def about(self) -> dict[str, Any]:
        """Return what a result says of the judge that it depends on."""
        manifest = verify(self.directory, ("evaluation.json", "model.safetensors"))
        accuracy = read_json(self.directory / "evaluation.json", Evaluation)["accuracy"]
        return {
            "seed": seed_number(self.directory),
            "sha256": manifest["sha256"]["model.safetensors"],
            "accuracy": accuracy,
        }


def judges(directories: Iterable[Path], data: Path, stats: Path, device: torch.device) -> list[Judge]:
    """The judges in these directories; one of other classes, data or channel statistics is refused."""
    loaded, classes = [], read_json(data / "dataset.json", Named)["classes"]
    train = dataset.load(data, stats, "train", device)
    for directory in directories:
        experiment = load(directory.parent / "params.yaml")
        weights = directory / "model.safetensors"
        check(weights, experiment, classes, Preprocessing.of(experiment, data, stats))
        nets = (
            restored(experiment.model, weights, len(classes)).to(device),
            untrained(experiment, len(classes), seed_number(directory), train),
        )
        extractors = [Extractor(net, experiment, train.mean, train.std) for net in nets]
        for extractor in extractors:
            extractor.set_units(train.images[:SCALED].cpu().numpy())
        loaded.append(Judge(directory, *extractors))
    return loaded


def check(weights: Path, experiment: Experiment, classes: list[str], preprocessing: Preprocessing) -> None:
    """Refuse a judge that was trained on other classes, data or channel statistics, or with other settings."""
    made = header(weights)
    if made.get("classes") != classes:
        raise InputError(f"{weights} is a judge of the classes {', '.join(made.get('classes') or ())}, not of "
                         f"{', '.join(classes)}; delete it, and snakemake trains it again")  # fmt: skip
    if Preprocessing.parse(made.get("preprocessing"), weights) != preprocessing:
        raise InputError(f"{weights} is a judge of images with other channel statistics or of another size than "
                         "those in data/; delete it, and snakemake trains it again")  # fmt: skip
    require_same_settings(weights, made, choices(experiment, *experiment.trained_by))


def features_file(references: Path, judge: Judge) -> Path:
    """Return where the judge's features of the real images are, next to references.json."""
    return references.parent / f"judge-{seed_number(judge.directory)}.npz"
