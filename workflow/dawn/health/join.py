"""Join the world that dawn.launch made, add up the ranks, and say from the first process that the sum is right.

python -m dawn.launch --processes 2 dawn.health.join
"""

import os
import sys
import tempfile
from pathlib import Path

import torch
import torch.distributed as dist

from dawn.runtime.distributed import World, joined


def added(world: World) -> bool:
    """Whether the sum of 1 + rank over the world is what it must be."""
    value = torch.tensor(1.0 + world.rank, device=world.device)
    dist.all_reduce(value)
    return float(value) == world.size * (world.size + 1) / 2


def main() -> None:
    """Join, add, say."""
    with joined() as world:
        if world.size == 1:  # a single GPU still shows whether NCCL loads
            kind = "nccl" if world.device.type == "cuda" else "gloo"
            file = Path(tempfile.gettempdir(), f"dawn-join-{os.getpid()}")
            dist.init_process_group(kind, init_method=f"file://{file}", rank=0, world_size=1)
        right = added(world)
        if world.first:
            print(f"joined {world.size} of {world.size}" if right else "the sum is wrong")
        if world.size == 1:
            dist.destroy_process_group()
    sys.exit(0 if right else 1)


if __name__ == "__main__":
    main()
