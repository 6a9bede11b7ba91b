"""Make a data set of a conditional generator's samples: as many images of each class as train has, in its place.

    python -m dawn.tasks.generative.cas_images --params results/params.yaml --data data --seed 0
        --model results/seed-0/model.safetensors --out results/cas/seed-0/data

The other splits are links to the real ones, so that a classifier trained on the result is tested on real images: its
accuracy is the classification accuracy score of the generator (arXiv 1905.10887).
"""

import os
from pathlib import Path

from dawn.config import registry
from dawn.config.experiment import load
from dawn.config.records import Named
from dawn.core import cli
from dawn.core.array_file import LABELS, load_array, save_array
from dawn.core.files import sha256, write_json
from dawn.core.reading import read_json
from dawn.tasks.generative.sampler import Sampler


def main() -> None:
    """Parse, sample, write; dataset.json last."""
    parser = cli.parser(main)
    cli.add_inputs(parser, "params", "data")
    parser.add_argument("--model", type=Path, required=True, help="the weights, safetensors")
    cli.add_seed(parser, "decides the latent vectors")
    cli.add_out(parser, "directory of the arrays")
    args = parser.parse_args()
    experiment = load(args.params)
    sampler: Sampler = registry.module(experiment.task, "sampling").sampler(args.model)
    if not sampler.conditional:
        raise cli.InputError(f"{args.model} was trained without classes; a data set needs gan.conditional: true")
    labels, truncation = load_array(args.data / "train_labels.npy", LABELS), experiment.measures.truncation
    arrays = {"train_images": sampler.samples(args.seed, labels, truncation), "train_labels": labels}
    for name, array in arrays.items():
        save_array(args.out / f"{name}.npy", array)
    for split in ("test", "holdout"):
        for real in args.data.glob(f"{split}_*.npy"):
            link = args.out / real.name
            link.unlink(missing_ok=True)
            link.symlink_to(os.path.relpath(real, args.out))
    made = {"sha256": sha256(args.model), "seed": args.seed, "truncation": truncation}
    write_json(args.out / "dataset.json", read_json(args.data / "dataset.json", Named) | made)


if __name__ == "__main__":
    cli.run(main)
