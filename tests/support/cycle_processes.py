"""One process of several: a training of the tiny CycleGAN; writes its weights and pools.

torchrun --nproc-per-node 2 tests/support/cycle_processes.py DATA OUT
"""

import sys
from pathlib import Path

import torch
from cycles import ready
from training import Never

from dawn.runtime.distributed import joined


def main(data, out):
    with joined() as world:
        trainer = ready(data, out / "state", world=world, epochs=0.8)
        list(trainer.run(Never()))
        state = trainer.task.state.state_dict()
        weights = [t for t in state["networks"].values() if t.ndim > 1]
        torch.save([*weights, *state["pools"]], out / f"{world.rank}.pt")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
