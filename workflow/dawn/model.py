"""Describe the network of an experiment: parameters, FLOPs and output shape of each layer, and its initial weights.

    python -m dawn.model --params params.yaml --out results/model.json --text results/model.txt

FLOPs are those of one image's forward pass as torch counts them: a multiplication and an addition are two.
"""

from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from dawn.config.experiment import Experiment, load
from dawn.core import cli
from dawn.core.files import read_json, write_json, write_text
from dawn.models.build import build, check_output, checksum


def describe(experiment: Experiment, classes: int, size: int) -> dict[str, Any]:
    """Return the network's parameters, FLOPs and layers, and the checksum of the initial weights of every seed."""
    net = build(experiment.model, classes, experiment.seeds[0]).eval()
    check_output(net, classes, size)
    flops, shapes = measure(net, size)
    layers = [
        {
            "name": name,
            "type": type(module).__name__,
            "parameters": count(module),
            "flops": flops.get(f"{type(net).__name__}.{name}", 0),
            "output": shapes[name],
        }
        for name, module in net.named_modules()
        if name in shapes
    ]
    return {
        **experiment.model.model_dump(mode="json"),
        "parameters": count(net),
        "flops": flops["Global"],
        "input": [3, size, size],
        "classes": classes,
        "initial_sha256": {str(seed): checksum(build(experiment.model, classes, seed)) for seed in experiment.seeds},
        "layers": layers,
    }


def count(module: nn.Module) -> int:
    """Return the number of parameters."""
    return sum(p.numel() for p in module.parameters())


def measure(net: nn.Module, size: int) -> tuple[dict[str, int], dict[str, list[int]]]:
    """Return the FLOPs of each module and the output shape (c, ...) of each layer for one image of ``size`` pixels."""
    shapes: dict[str, list[int]] = {}

    def save_shape(name: str, _module: nn.Module, _inputs: Any, output: Tensor) -> None:
        shapes[name] = list(output.shape[1:])

    layers = [(name, module) for name, module in net.named_modules() if not list(module.children())]
    hooks = [module.register_forward_hook(partial(save_shape, name)) for name, module in layers]
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        net(torch.zeros(1, 3, size, size))
    for hook in hooks:
        hook.remove()
    return {name: sum(ops.values()) for name, ops in counter.get_flop_counts().items()}, shapes


def table(figures: dict[str, Any]) -> str:
    """Return the figures as a table in plain text, a row for each layer."""
    rows = [("layer", "type", "output", "parameters", "MFLOP")]
    for layer in figures["layers"]:
        shape = " x ".join(map(str, layer["output"]))
        rows.append((layer["name"], layer["type"], shape, f"{layer['parameters']:,}", f"{layer['flops'] / 1e6:,.2f}"))
    rows.append((figures["family"], "", "", f"{figures['parameters']:,}", f"{figures['flops'] / 1e6:,.2f}"))
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    lines = []
    for row in rows:
        words = [cell.ljust(width) for cell, width in zip(row[:3], widths, strict=False)]
        numbers = [cell.rjust(width) for cell, width in zip(row[3:], widths[3:], strict=True)]
        lines.append("  ".join([*words, *numbers]).rstrip())
    rule = "-" * len(lines[0])
    return "\n".join([lines[0], rule, *lines[1:-1], rule, lines[-1]]) + "\n"


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
        write_text(args.text, table(figures))
    write_json(args.out, figures)


if __name__ == "__main__":
    cli.run(main)
