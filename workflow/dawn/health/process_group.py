"""Form the process group of dawn.launch and reduce a number over it; the first process prints whether it is right.

python -m dawn.launch --processes 2 dawn.health.process_group
"""

import os
import sys
import tempfile
from pathlib import Path

import torch
import torch.distributed as dist

from dawn.config.sections import Run
from dawn.runtime.distributed import World, joined

TIMEOUT = 2  # minutes


def reduced(world: World) -> bool:
    """Return whether the sum of 1 + rank over the world is right."""
    value = torch.tensor(1.0 + world.rank, device=world.device)
    dist.all_reduce(value)
    return float(value) == world.size * (world.size + 1) / 2


def main() -> None:
    """Join, reduce, print."""
    with joined(Run(timeout=TIMEOUT)) as world:
        if world.size == 1:  # a single GPU still shows whether NCCL loads
            backend = "nccl" if world.device.type == "cuda" else "gloo"
            file = Path(tempfile.gettempdir(), f"dawn-process-group-{os.getpid()}")
            dist.init_process_group(backend, init_method=f"file://{file}", rank=0, world_size=1)
        right = reduced(world)
        if world.first:
            print(f"joined {world.size} of {world.size}" if right else "the sum over the ranks is wrong")
        if world.size == 1:
            dist.destroy_process_group()
    sys.exit(0 if right else 1)


if __name__ == "__main__":
    main()
