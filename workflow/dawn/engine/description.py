"""Parameters, FLOPs and output shape of each layer of a network, as figures and as a table in words."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode


def describe(net: nn.Module, *inputs: Tensor) -> dict[str, Any]:
    """Parameters and FLOPs of the network for these inputs, a batch of one, and the same of each of its layers.

    FLOPs are those of a forward pass as torch counts them: a multiplication and an addition are two.
    """
    flops, shapes = measure(net, *inputs)
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
    return {"parameters": count(net), "flops": flops["Global"], "layers": layers}


def count(module: nn.Module) -> int:
    """Return the number of parameters."""
    return sum(p.numel() for p in module.parameters())


def measure(net: nn.Module, *inputs: Tensor) -> tuple[dict[str, int], dict[str, list[int]]]:
    """Return the FLOPs of each module and the output shape (c, ...) of each layer."""
    shapes: dict[str, list[int]] = {}

    def save_shape(name: str, _module: nn.Module, _inputs: Any, output: Tensor) -> None:
        shapes[name] = list(output.shape[1:])

    layers = [(name, module) for name, module in net.named_modules() if not list(module.children())]
    hooks = [module.register_forward_hook(partial(save_shape, name)) for name, module in layers]
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        net(*inputs)
    for hook in hooks:
        hook.remove()
    return {name: sum(ops.values()) for name, ops in counter.get_flop_counts().items()}, shapes


def tables(figures: dict[str, Any], names: Sequence[str]) -> str:
    """Return a table for each of the networks that ``figures`` has by name."""
    return "\n".join(table(figures[name]["layers"], name, figures[name]) for name in names)


def table(layers: Sequence[dict[str, Any]], name: str, figures: dict[str, Any]) -> str:
    """Return the layers as a table in plain text, a row for each, and in the last row the whole network."""
    rows = [("layer", "type", "output", "parameters", "MFLOP")]
    for layer in layers:
        shape = " x ".join(map(str, layer["output"]))
        rows.append((layer["name"], layer["type"], shape, f"{layer['parameters']:,}", f"{layer['flops'] / 1e6:,.2f}"))
    rows.append((name, "", "", f"{figures['parameters']:,}", f"{figures['flops'] / 1e6:,.2f}"))
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    lines = []
    for row in rows:
        words = [cell.ljust(width) for cell, width in zip(row[:3], widths, strict=False)]
        numbers = [cell.rjust(width) for cell, width in zip(row[3:], widths[3:], strict=True)]
        lines.append("  ".join([*words, *numbers]).rstrip())
    rule = "-" * len(lines[0])
    return "\n".join([lines[0], rule, *lines[1:-1], rule, lines[-1]]) + "\n"
