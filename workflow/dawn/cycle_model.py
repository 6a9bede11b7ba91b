"""Describe the networks of a CycleGAN: parameters, FLOPs and output shape of each layer, and their initial weights.

    python -m dawn.cycle_model --params params.yaml --out results/model.json --text results/model.txt

The two generators are alike, and so are the two critics; one of each is described. FLOPs are those of one image's
forward pass as torch counts them: a multiplication and an addition are two.
"""

from pathlib import Path
from typing import Any

import torch

from dawn.config.experiment import Experiment, load
from dawn.core import cli
from dawn.core.files import write_json, write_text
from dawn.cycles.networks import build
from dawn.models.build import checksum
from dawn.models.description import describe, table


def networks(experiment: Experiment, size: int) -> dict[str, Any]:
    """Return parameters, FLOPs and layers, the sums of all four, and the checksums of every seed's initial weights."""
    nets = build(experiment.cycle, size, experiment.seeds[0])
    image = torch.zeros(1, 3, size, size)
    figures = {"generator": describe(nets.to_b.eval(), image), "critic": describe(nets.critic_b.eval(), image)}
    initial = {}
    for seed in experiment.seeds:
        made = build(experiment.cycle, size, seed)
        initial[str(seed)] = {name: checksum(net) for name, net in vars(made).items()}
    sums = {name: 2 * sum(each[name] for each in figures.values()) for name in ("parameters", "flops")}
    return {**sums, "image": [3, size, size], "initial_sha256": initial, **figures}


def main() -> None:
    """Parse, build, count, write."""
    parser = cli.parser(main)
    cli.add_inputs(parser, "params")
    parser.add_argument("--size", type=int, default=32, help="height and width of the images (32)")
    cli.add_out(parser, "the figures, JSON")
    parser.add_argument("--text", type=Path, required=True, help="a table for each network, text")
    args = parser.parse_args()
    figures = networks(load(args.params), args.size)
    tables = (table(figures[name]["layers"], name, figures[name]) for name in ("generator", "critic"))
    write_text(args.text, "\n".join(tables))
    write_json(args.out, figures)


if __name__ == "__main__":
    cli.run(main)
