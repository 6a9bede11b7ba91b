"""Translate the test images with a trained CycleGAN, and measure the translations.

    python -m dawn.cycle_evaluate --params results/params.yaml --data data
        --model results/seed-0/model.safetensors --out results/seed-0 --manifest results/manifests/0.json

Writes in_b.npy and in_a.npy uint8 (n, h, w, 3): the test images of A in domain B, those of B in domain A; back_a.npy
and back_b.npy: the first 32 of each translated and back; evaluation.json; and the manifest of the seed. Where the
domains have a truth: PSNR and SSIM next to those of the untranslated images (identity) and of the mean train image of
the target. Always: the cycle error, without and with noise on the translation. All measures are of test images.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch

from dawn.config.domains import TESTS, TRAINS
from dawn.config.experiment import Experiment, load
from dawn.core import cli
from dawn.core.files import read_json, replacing, write_json
from dawn.cycles.networks import Networks
from dawn.cycles.setup import array
from dawn.cycles.task import SHOWN
from dawn.cycles.translation import Doubles, Pixels, round_trip, translate
from dawn.cycles.weights import restored
from dawn.measures.translation import against_truth, both, cycle_errors
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
    with clock.phase("measure"):
        measures = cycle_errors({direction: trip(nets, direction, images, args.out) for direction, images in
                                 (("to_b", a), ("to_a", b))}, NOISE)  # fmt: skip
        if experiment.domains.paired:
            train_a, train_b = (array(args.data, name) for name in TRAINS)
            measures = both(against_truth(in_b, a, b, train_b), against_truth(in_a, b, a, train_a)) | measures
    save(args.out / "in_b.npy", in_b)
    save(args.out / "in_a.npy", in_a)
    return {
        "names": list(trained.names),
        "images": {"a": len(a), "b": len(b)},
        "measures": measures,
        "seconds": clock.seconds,
    }


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
    cli.add_out(parser, "directory of the seed's results")
    parser.add_argument("--manifest", type=Path, required=True, help="the manifest of the seed, JSON")
    args = parser.parse_args()
    experiment = load(args.params)
    if read_json(args.data / "domains.json")["settings"] != experiment.domains.model_dump(mode="json"):
        raise cli.InputError(f"{args.data}/domains.json is of other settings in the section domains; make it again")
    write_json(args.out / "evaluation.json", evaluate(args, experiment))
    write_json(args.manifest, manifest(experiment, args.out))


if __name__ == "__main__":
    cli.run(main)
