"""Make a data set of a conditional GAN's samples: as many images of each class as train has, in the place of train.

    python -m dawn.gan_dataset --params results/params.yaml --data data --model results/seed-0/model.safetensors
        --seed 0 --out results/cas/seed-0/data

The other splits are links to the real ones, so that a classifier trained on the result is tested on real images: its
accuracy is the classification accuracy score of the GAN (arXiv 1905.10887).
"""

import os
from pathlib import Path

import numpy as np

from dawn.config.experiment import load
from dawn.core import cli
from dawn.core.files import read_json, sha256, write_json
from dawn.gans.samples import generate
from dawn.gans.sampling import latents, save_array, trained


def main() -> None:
    """Parse, sample, write; dataset.json last."""
    parser = cli.parser(main)
    cli.add_inputs(parser, "params", "data")
    parser.add_argument("--model", type=Path, required=True, help="the weights, safetensors")
    parser.add_argument("--seed", type=int, required=True, help="decides the latent vectors")
    cli.add_out(parser, "directory of the arrays")
    args = parser.parse_args()
    gan = trained(args.model)
    if not gan.settings.conditional:
        raise cli.InputError(f"{args.model} was trained without classes; a data set needs gan.conditional: true")
    labels = np.load(args.data / "train_labels.npy", allow_pickle=False)
    truncation = load(args.params).measures.truncation
    draws = latents(args.seed, range(len(labels)), gan.settings.generator.latent, truncation)
    arrays = {"train_images": generate(gan.generator, draws, labels), "train_labels": labels}
    for name, array in arrays.items():
        save_array(args.out / f"{name}.npy", array)
    for split in ("test", "holdout"):
        for real in args.data.glob(f"{split}_*.npy"):
            link = args.out / real.name
            link.unlink(missing_ok=True)
            link.symlink_to(os.path.relpath(real, args.out))
    made = {"sha256": sha256(args.model), "seed": args.seed, "truncation": truncation}
    write_json(args.out / "dataset.json", read_json(args.data / "dataset.json") | made)


if __name__ == "__main__":
    cli.run(main)
