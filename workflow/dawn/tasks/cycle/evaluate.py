"""``dawn.evaluate`` for a CycleGAN: the test images translated, and measures of the translations.

Writes in_b.npy and in_a.npy uint8 (n, h, w, 3): the test images of A in domain B, those of B in domain A; back_a.npy
and back_b.npy: the first 32 of each translated and back. Where the domains have a truth: PSNR and SSIM next to those of
the untranslated images (identity) and of the mean train image of the target. With --judges, classifiers of the data's
classes: in how many translations they see the target, and the kernel distance to its images; also along the training,
``progress``. Always: the cycle error, without and with noise on the translation. All measures are of test images.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from dawn.config import records
from dawn.config.experiment import Experiment
from dawn.config.records import Named
from dawn.core.array_file import SERIES, load_array, save_array
from dawn.core.cli import InputError
from dawn.core.reading import read_json
from dawn.measures.translation import Seen, against_truth, both, by_judges, cycle_errors
from dawn.runtime.clock import Clock
from dawn.runtime.distributed import World
from dawn.tasks.cycle.settings import TESTS, TRAINS, Domains
from dawn.tasks.cycle.train import array
from dawn.tasks.cycle.training import SHOWN
from dawn.tasks.cycle.translation import Doubles, Pixels, round_trip, translate
from dawn.tasks.cycle.weights import restored
from dawn.tasks.generative.judges import Judge, judges

Errors = tuple[Doubles, Doubles]
NOISE = 4.0  # levels of 256, standard deviation


def evaluate(args: argparse.Namespace, experiment: Experiment, world: World) -> dict[str, Any]:
    """Write the translations, and return their evaluation."""
    if read_json(args.data / "domains.json", records.Domains)["settings"] != experiment.domains.model_dump(mode="json"):
        raise InputError(f"{args.data}/domains.json is of other settings in the section domains; make it again")
    if args.judges and not args.stats:
        raise InputError("--judges needs --stats, such as data/stats.json")
    trained = restored(args.model)
    nets, clock = trained.nets, Clock(world.device)
    nets.module.to(world.device)
    a, b = (np.asarray(array(args.data, name)) for name in TESTS)
    with clock.phase("translate"):
        in_b, in_a = translate(nets.to_b, a), translate(nets.to_a, b)
    by_judges: dict[str, Any] = {"judges": []}
    with clock.phase("measure"):
        to_b, back_a = round_trips(nets.to_b, nets.to_a, a, "to_b")
        to_a, back_b = round_trips(nets.to_a, nets.to_b, b, "to_a")
        measures = cycle_errors({"to_b": to_b, "to_a": to_a}, NOISE)
        if experiment.domains.paired:
            train_a, train_b = (array(args.data, name) for name in TRAINS)
            measures = both(against_truth(in_b, a, b, train_b), against_truth(in_a, b, a, train_a)) | measures
        if args.judges:
            classifiers = judges(args.judges, args.data, args.stats, world.device)
            panel = Panel(classifiers, experiment.domains, args.data, a, b)
            measures = panel.measures(in_b, in_a) | measures
            by_judges = {"judges": [judge.about() for judge in classifiers],
                         "progress": panel.progress(args.out / "progress.npy")}  # fmt: skip
    for name, images in (("in_b", in_b), ("in_a", in_a), ("back_a", back_a), ("back_b", back_b)):
        save_array(args.out / f"{name}.npy", images)
    return {
        "names": list(trained.names),
        "images": {"a": len(a), "b": len(b)},
        "measures": measures,
        "seconds": clock.seconds,
    } | by_judges


class Panel:
    """The judges, and what they make of the test images ``a`` and ``b``."""

    def __init__(self, judges: list[Judge], domains: Domains, data: Path, a: Pixels, b: Pixels) -> None:
        classes = read_json(data / "dataset.json", Named)["classes"]
        self.judges = judges
        self.into_a, self.into_b = ([classes.index(name) for name in names] for names in (domains.a, domains.b))
        self.a, self.b = self.see(a), self.see(b)

    def see(self, images: Pixels) -> list[Seen]:
        """Return each judge's features and logits of images."""
        seen = [judge.trained(np.ascontiguousarray(images)) for judge in self.judges]
        return [Seen(features.penultimate, features.logits) for features in seen]

    def measures(self, in_b: Pixels, in_a: Pixels) -> dict[str, Any]:
        """The judges' measures of translations into B and into A."""
        return both(
            by_judges(self.see(in_b), self.a, self.b, self.into_b),
            by_judges(self.see(in_a), self.b, self.a, self.into_a),
        )

    def progress(self, path: Path) -> list[dict[str, float]]:
        """The measures of the few translations kept along the training, a row for each time; so they are uncertain."""
        kept = load_array(path, SERIES)
        half = kept.shape[1] // 2
        measured = [self.measures(images[:half], images[half:]) for images in kept]
        return [{name: values[name]["value"] for name in ("target_accuracy", "kid")} for values in measured]


def round_trips(there: nn.Module, back: nn.Module, images: Pixels, direction: str) -> tuple[Errors, Pixels]:
    """The errors (n,) of images that are translated and back, without and with noise, and the first of these images."""
    returned, clean = round_trip(there, back, images, 0.0, direction)
    return (clean, round_trip(there, back, images, NOISE, direction)[1]), returned[:SHOWN]
