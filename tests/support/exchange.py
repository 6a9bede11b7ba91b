"""One process of two: the gradients of a first step under each way to exchange them, kept in a file a process.

torchrun --nproc-per-node 2 tests/support/exchange.py DATA OUT
"""

import sys
from pathlib import Path

import torch
from conftest import experiment

from dawn.runtime.clock import Clock
from dawn.runtime.distributed import joined
from dawn.tasks.classify.train import set_up


def main(data, out):
    with joined() as world:
        found = {}
        for compress in ("none", "fp16", "bf16"):
            settings = experiment(train={"compress": compress, "batch_norm": "local"})
            trainer = set_up(settings, data, data / "stats.json", 0, out / "state", world, Clock(world.device))
            images, labels = next(trainer.task.trainset.epoch(0, world, 1))[0]
            forward = trainer.task.state.forward
            if compress == "none":
                with forward.no_sync():
                    trainer.task.state.gradient(images, labels, 1)
                found["own"] = [p.grad.clone() for p in trainer.task.state.net.parameters()]
                trainer.task.state.net.zero_grad()
            trainer.task.state.gradient(images, labels, 1)
            found[compress] = [p.grad.clone() for p in trainer.task.state.net.parameters()]
        torch.save(found, out / f"{world.rank}.pt")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
