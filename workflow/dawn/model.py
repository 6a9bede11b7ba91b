"""Describe the network of an experiment: parameters, FLOPs and output shape of each layer, and its initial weights.

    python -m dawn.model --params params.yaml --out results/model.json --text results/model.txt

FLOPs are those of one image's forward pass as torch counts them: a multiplication and an addition are two.
"""

from pathlib import Path
from typing import Any

import torch

from dawn.config.experiment import Experiment, load
from dawn.core import cli
from dawn.core.files import read_json, write_json, write_text
from dawn.models import description
from dawn.models.build import build, check_output, checksum


def describe(experiment: Experiment, classes: int, size: int) -> dict[str, Any]:
    """Return the network's parameters, FLOPs and layers, and the checksum of the initial weights of every seed."""
    net = build(experiment.model, classes, experiment.seeds[0]).eval()
    check_output(net, classes, size)
    found = description.describe(net, torch.zeros(1, 3, size, size))
    return {
        **experiment.model.model_dump(mode="json"),
        "parameters": found["parameters"],
        "flops": found["flops"],
        "input": [3, size, size],
        "classes": classes,
        "initial_sha256": {str(seed): checksum(build(experiment.model, classes, seed)) for seed in experiment.seeds},
        "layers": found["layers"],
    }


def main() -> None:
    """Parse, build, count, write."""
    parser = cli.parser(main)
    cli.add_inputs(parser, "params")
    parser.add_argument("--data", type=Path, help="directory of the arrays, for the number of classes (else 10)")
    parser.add_argument("--size", type=int, default=32, help="height and width of the image (32)")
    cli.add_out(parser, "the figures, JSON")
    parser.add_argument("--text", type=Path, help="the table, text")
    args = parser.parse_args()
    classes = len(read_json(args.data / "dataset.json")["classes"]) if args.data else 10
    figures = describe(load(args.params), classes, args.size)
    if args.text is not None:
        write_text(args.text, description.table(figures["layers"], figures["family"], figures))
    write_json(args.out, figures)


if __name__ == "__main__":
    cli.run(main)
