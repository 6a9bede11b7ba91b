"""Translate the test images with a trained CycleGAN, and measure the translations.

    python -m dawn.cycle_evaluate --params results/params.yaml --data data
        [--stats data/stats.json --judges results/judge/seed-0 results/judge/seed-1]
        --model results/seed-0/model.safetensors --out results/seed-0 --manifest results/manifests/0.json

Writes in_b.npy and in_a.npy uint8 (n, h, w, 3): the test images of A in domain B, those of B in domain A; back_a.npy
and back_b.npy: the first 32 of each translated and back; evaluation.json; and the manifest of the seed. Where the
domains have a truth: PSNR and SSIM next to those of the untranslated images (identity) and of the mean train image of
the target. With --judges, classifiers of the data's classes: in how many translations they see the target, and the
kernel distance to its images; also along the training, ``progress``. Always: the cycle error, without and with noise on
the translation. All measures are of test images.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch

from dawn.config.domains import TESTS, TRAINS, Domains
from dawn.config.experiment import Experiment, load
from dawn.core import cli
from dawn.core.files import read_json, replacing, write_json
from dawn.cycles.networks import Networks
from dawn.cycles.setup import array
from dawn.cycles.task import SHOWN
from dawn.cycles.translation import Doubles, Pixels, round_trip, translate
from dawn.cycles.weights import restored
from dawn.gans.judges import Judge, judges
from dawn.measures.translation import Seen, against_truth, both, by_judges, cycle_errors
from dawn.results.manifest import choices, header, manifest, same
from dawn.runtime.clock import Clock

NOISE = 4.0  # levels of 256, standard deviation


def evaluate(args: argparse.Namespace, experiment: Experiment) -> dict[str, Any]:
    """Write the translations, and return their evaluation."""
    same(args.model, header(args.model), choices(experiment, *experiment.trained_by))
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    trained = restored(args.model)
    nets = trained.nets
    nets.module.to(device)
    clock = Clock(device)
    a, b = (np.asarray(array(args.data, name)) for name in TESTS)
    with clock.phase("translate"):
        in_b, in_a = translate(nets.to_b, a), translate(nets.to_a, b)
    found: dict[str, Any] = {"judges": []}
    with clock.phase("measure"):
        measures = cycle_errors({direction: trip(nets, direction, images, args.out) for direction, images in
                                 (("to_b", a), ("to_a", b))}, NOISE)  # fmt: skip
        if experiment.domains.paired:
            train_a, train_b = (array(args.data, name) for name in TRAINS)
            measures = both(against_truth(in_b, a, b, train_b), against_truth(in_a, b, a, train_a)) | measures
        if args.judges:
            own = judges(args.judges, args.data, args.stats, device)
            panel = Panel(own, experiment.domains, args.data, a, b)
            measures = panel.measures(in_b, in_a) | measures
            found = {"judges": [judge.about() for judge in own],
                     "progress": panel.progress(args.out / "progress.npy")}  # fmt: skip
    save(args.out / "in_b.npy", in_b)
    save(args.out / "in_a.npy", in_a)
    return {
        "names": list(trained.names),
        "images": {"a": len(a), "b": len(b)},
        "measures": measures,
        "seconds": clock.seconds,
    } | found


class Panel:
    """The judges, and what they make of the test images ``a`` and ``b``."""

    def __init__(self, found: list[Judge], domains: Domains, data: Path, a: Pixels, b: Pixels) -> None:
        classes = read_json(data / "dataset.json")["classes"]
        self.judges = found
        self.into_a, self.into_b = ([classes.index(name) for name in names] for names in (domains.a, domains.b))
        self.a, self.b = self.see(a), self.see(b)

    def see(self, images: Pixels) -> list[Seen]:
        """What each judge makes of images."""
        features = [judge.trained(np.ascontiguousarray(images)) for judge in self.judges]
        return [Seen(each.penultimate, each.logits) for each in features]

    def measures(self, in_b: Pixels, in_a: Pixels) -> dict[str, Any]:
        """The judges' measures of translations into B and into A."""
        return both(
            by_judges(self.see(in_b), self.a, self.b, self.into_b),
            by_judges(self.see(in_a), self.b, self.a, self.into_a),
        )

    def progress(self, path: Path) -> list[dict[str, float]]:
        """The measures of the few translations kept along the training, a row for each time; so they are uncertain."""
        kept = np.load(path, allow_pickle=False)
        half = kept.shape[1] // 2
        found = [self.measures(images[:half], images[half:]) for images in kept]
        return [{name: each[name]["value"] for name in ("target_accuracy", "kid")} for each in found]


def trip(nets: Networks, direction: str, images: Pixels, out: Path) -> tuple[Doubles, Doubles]:
    """Write the first images translated and back. Return the errors (n,) of all, without and with noise."""
    there, back = (nets.to_b, nets.to_a) if direction == "to_b" else (nets.to_a, nets.to_b)
    returned, clean = round_trip(there, back, images, 0.0, direction)
    save(out / f"back_{'a' if direction == 'to_b' else 'b'}.npy", returned[:SHOWN])
    return clean, round_trip(there, back, images, NOISE, direction)[1]


def save(path: Path, images: Pixels) -> None:
    """Write an array, atomically."""
    with replacing(path) as partial, partial.open("wb") as file:
        np.save(file, images, allow_pickle=False)


def main() -> None:
    """Parse the command line, translate, measure, write."""
    parser = cli.parser(main)
    cli.add_inputs(parser, "params", "data")
    parser.add_argument("--model", type=Path, required=True, help="the trained CycleGAN, safetensors")
    parser.add_argument("--judges", type=Path, nargs="+", help="directories of the judges' seeds (none)")
    parser.add_argument("--stats", type=Path, help="channel statistics of the data, for the judges")
    cli.add_out(parser, "directory of the seed's results")
    parser.add_argument("--manifest", type=Path, required=True, help="the manifest of the seed, JSON")
    args = parser.parse_args()
    experiment = load(args.params)
    if read_json(args.data / "domains.json")["settings"] != experiment.domains.model_dump(mode="json"):
        raise cli.InputError(f"{args.data}/domains.json is of other settings in the section domains; make it again")
    if args.judges and not args.stats:
        raise cli.InputError("--judges needs --stats, such as data/stats.json")
    write_json(args.out / "evaluation.json", evaluate(args, experiment))
    write_json(args.manifest, manifest(experiment, args.out))


if __name__ == "__main__":
    cli.run(main)
