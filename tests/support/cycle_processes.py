"""One process of several: a training of the tiny CycleGAN; writes its means of gradients and its pools.

torchrun --nproc-per-node 2 tests/support/cycle_processes.py DATA OUT
"""

import sys
from pathlib import Path

import torch
from cycles import gradients_and_pools, ready
from training import Never

from dawn.runtime.distributed import joined


def main(data, out):
    with joined() as world:
        trainer = ready(data, out / "state", world=world, epochs=0.8, lr=1e-5)
        list(trainer.run(Never()))
        torch.save(gradients_and_pools(trainer), out / f"{world.rank}.pt")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
