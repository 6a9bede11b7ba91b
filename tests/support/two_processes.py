"""One process of two: a training step of the cpu preset's network, made small, in several precisions.

torchrun --nproc-per-node 2 tests/support/two_processes.py OUT
"""

import sys
from pathlib import Path

import torch
from conftest import ROOT
from torch.nn import functional

from dawn.config.experiment import check, merge, read
from dawn.runtime.distributed import joined, parallel
from dawn.runtime.precision import Precision
from dawn.tasks.classify.networks.build import build

SMALL = {"model": {"widths": [4, 8, 8]}, "data": {"sha256": None}}
EXPERIMENT = check(merge(merge(read(ROOT / "params.yaml"), read(ROOT / "workflow/presets/cpu.yaml")), SMALL))


def step(kind, world):
    """Logits of this process's half of a batch, gradients and running statistics, of a step in a precision."""
    net = build(EXPERIMENT.model, 10, 0)
    precision = Precision(kind, 8.0, net, world.device)
    forward = parallel(net, world, "global")
    rng = torch.Generator().manual_seed(0)
    images, labels = torch.randn(16, 3, 32, 32, generator=rng), torch.randint(0, 10, (16,), generator=rng)
    own = slice(16 * world.rank // world.size, 16 * (world.rank + 1) // world.size)
    logits = precision.logits(forward, images[own].contiguous(memory_format=torch.channels_last))
    precision.backward(functional.cross_entropy(logits, labels[own]))
    return {
        "logits": logits.detach(),
        "gradients": [p.grad.float() for p in net.parameters() if p.grad is not None],
        "buffers": list(net.buffers()),
    }


def main(out):
    with joined() as world:
        found = {kind: step(kind, world) for kind in ("fp32", "bf16", "fp16", "half")}
    torch.save(found, out / f"{world.size}-{world.rank}.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
