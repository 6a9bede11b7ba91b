"""Describe the two networks of a GAN: parameters, FLOPs and output shape of each layer, and their initial weights.

    python -m dawn.gan_model --params params.yaml --data data --out results/model.json --text results/model.txt

FLOPs are those of one image's forward pass as torch counts them: a multiplication and an addition are two.
"""

from pathlib import Path
from typing import Any

import torch

from dawn.config.experiment import Experiment, load
from dawn.core import cli
from dawn.core.files import read_json, write_json, write_text
from dawn.gans.networks import build
from dawn.models.build import checksum
from dawn.models.description import describe, table


def networks(experiment: Experiment, classes: int, size: int) -> dict[str, Any]:
    """Return parameters, FLOPs and layers of both, their sums, and the checksums of every seed's initial weights."""
    generator, critic = (net.eval() for net in build(experiment.gan, classes, size, experiment.seeds[0]))
    label = torch.zeros(1, dtype=torch.int64)
    figures = {
        "generator": describe(generator, torch.zeros(1, experiment.gan.generator.latent), label),
        "critic": describe(critic, torch.zeros(1, 3, size, size), label),
    }
    initial = {
        str(seed): dict(zip(figures, map(checksum, build(experiment.gan, classes, size, seed)), strict=True))
        for seed in experiment.seeds
    }
    sums = {name: sum(each[name] for each in figures.values()) for name in ("parameters", "flops")}
    return {**sums, "image": [3, size, size], "classes": classes, "initial_sha256": initial, **figures}


def main() -> None:
    """Parse, build, count, write."""
    parser = cli.parser(main)
    cli.add_inputs(parser, "params", "data")
    parser.add_argument("--size", type=int, default=32, help="height and width of the images (32)")
    cli.add_out(parser, "the figures, JSON")
    parser.add_argument("--text", type=Path, required=True, help="a table for each network, text")
    args = parser.parse_args()
    classes = len(read_json(args.data / "dataset.json")["classes"])
    figures = networks(load(args.params), classes, args.size)
    tables = (table(figures[name]["layers"], name, figures[name]) for name in ("generator", "critic"))
    write_text(args.text, "\n".join(tables))
    write_json(args.out, figures)


if __name__ == "__main__":
    cli.run(main)
