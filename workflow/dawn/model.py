"""Describe the network of an experiment: parameters, FLOPs and output shape of each layer, and its initial weights.

    python -m dawn.model --params params.yaml --out results/model.json --text results/model.txt

FLOPs are torch's own count of one image's forward pass: a multiplication and an addition are two.
"""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode
from torch.utils.hooks import RemovableHandle

from dawn.config.experiment import Experiment, load
from dawn.core import cli
from dawn.core.files import read_json, write_json, write_text
from dawn.models.build import build, checksum


def describe(experiment: Experiment, classes: int, size: int) -> dict[str, Any]:
    """The network in figures, and the checksum of the initial weights of every seed."""
    net = build(experiment.model, classes, experiment.seeds[0]).eval()
    shapes, hooks = watch(net)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        net(torch.zeros(1, 3, size, size))
    for hook in hooks:
        hook.remove()
    flops = {name: sum(ops.values()) for name, ops in counter.get_flop_counts().items()}
    layers = [
        {
            "name": name,
            "type": type(module).__name__,
            "parameters": sum(p.numel() for p in module.parameters()),
            "flops": flops.get(f"{type(net).__name__}.{name}", 0),
            "output": shapes[name],
        }
        for name, module in net.named_modules()
        if name in shapes
    ]
    return {
        **experiment.model.model_dump(mode="json"),
        "parameters": sum(p.numel() for p in net.parameters()),
        "flops": counter.get_total_flops(),
        "input": [3, size, size],
        "classes": classes,
        "initial_sha256": {str(seed): checksum(build(experiment.model, classes, seed)) for seed in experiment.seeds},
        "layers": layers,
    }


def watch(net: nn.Module) -> tuple[dict[str, list[int]], list[RemovableHandle]]:
    """A dict that fills with each layer's output shape, less the batch, as it runs, and the hooks that fill it."""
    shapes: dict[str, list[int]] = {}

    def hook(name: str) -> Any:
        def note(_module: nn.Module, _inputs: Any, output: Tensor) -> None:
            shapes[name] = list(output.shape[1:])

        return note

    layers = [(name, module) for name, module in net.named_modules() if not list(module.children())]
    return shapes, [module.register_forward_hook(hook(name)) for name, module in layers]


def table(figures: dict[str, Any]) -> str:
    """The same in words."""
    rows = [("layer", "type", "output", "parameters", "MFLOP")]
    for layer in figures["layers"]:
        shape = " x ".join(map(str, layer["output"]))
        rows.append((layer["name"], layer["type"], shape, f"{layer['parameters']:,}", f"{layer['flops'] / 1e6:,.2f}"))
    total = (f"{figures['family']}", "", "", f"{figures['parameters']:,}", f"{figures['flops'] / 1e6:,.2f}")
    widths = [max(len(row[i]) for row in (*rows, total)) for i in range(5)]
    lines = [
        "  ".join(
            cell.ljust(w) if i < 3 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        for row in (*rows, total)
    ]
    rule = "-" * len(lines[0])
    return "\n".join(line.rstrip() for line in (lines[0], rule, *lines[1:-1], rule, lines[-1])) + "\n"


def main() -> None:
    """Parse, build, count, write."""
    parser = cli.parser(main)
    parser.add_argument("--params", type=Path, required=True, help="the experiment, YAML")
    parser.add_argument("--data", type=Path, help="directory of the arrays, for the number of classes (else 10)")
    parser.add_argument("--size", type=int, default=32, help="height and width of the image (32)")
    parser.add_argument("--out", type=Path, required=True, help="the figures, JSON")
    parser.add_argument("--text", type=Path, help="the table, text")
    args = parser.parse_args()
    classes = len(read_json(args.data / "dataset.json")["classes"]) if args.data else 10
    figures = fitting(load(args.params), classes, args.size)
    if args.text is not None:
        write_text(args.text, table(figures))
    write_json(args.out, figures)


def fitting(experiment: Experiment, classes: int, size: int) -> dict[str, Any]:
    """``describe``, or a refusal if the network cannot take an image of that size."""
    try:
        return describe(experiment, classes, size)
    except RuntimeError as error:
        raise cli.InputError(f"{experiment.text('model')} does not take images of {size} x {size}: {error}") from error


if __name__ == "__main__":
    cli.run(main)
