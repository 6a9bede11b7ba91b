"""Small trainings, in this process and as a step of their own."""

import csv

import pytest
import torch
from conftest import experiment

from dawn.runtime.distributed import World
from dawn.training.shutdown import Interrupt, Interrupted
from dawn.training.trainer import Trainer

CPU = torch.device("cpu")
WORLD = World(0, 1, CPU)

AIRBENCH = {
    "model": {"family": "airbench", "widths": [4, 8], "head_unit": True, "logit_scale": 0.02},
    "train": {
        "epochs": 2.5, "optimizer": "muon", "muon": {"lr": 0.05}, "stem_epochs": 2, "bias_lr_multiplier": 0.2,
        "schedule": {"kind": "linear", "momentum": [0.85, 0.85]}, "nesterov": True, "lookahead": {"every": 4},
        "sizes": [[0, 24], [0.5, 32]], "augment": {"pad": 2, "flip": "alternating", "cutout": 5},
    },
    "run": {"trace": True},
}  # fmt: skip


class Never(Interrupt):
    def __init__(self):
        self.first, self.requested = True, False


def trained(data, tmp_path, seed=0, **over):
    trainer = Trainer(experiment(**over), data, data / "stats.json", seed, tmp_path / "state", WORLD)
    trainer.run(Never())
    return trainer


def broken_and_resumed(data, tmp_path, stop, **over):
    """A training that is asked to stop after a step, its state kept, and another that goes on from there to the end."""

    def trainer():
        return Trainer(experiment(**over), data, data / "stats.json", 0, tmp_path / "broken", WORLD)

    class At(Never):
        @property
        def requested(self):
            return broken.step == stop

        @requested.setter
        def requested(self, value):
            pass

    broken = trainer()
    with pytest.raises(Interrupted):
        broken.run(At())
    torch.manual_seed(12345)
    resumed = trainer()
    assert resumed.step == stop
    resumed.run(Never())
    return resumed


def same_in_the_end(one, other):
    """Assert that two trainings end with the same weights, statistics and trace."""
    for trainer in (one, other):
        trainer.training.finish()
    ours, theirs = one.training.net.state_dict(), other.training.net.state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    assert one.trace == other.trace


def weights(trainer):
    return [p.detach().clone() for p in trainer.training.net.parameters()]


def arguments(path, data, out, *more):
    return ["--params", path, "--data", data, "--stats", data / "stats.json", "--seed", 0, "--out", out, *more]


def read_curve(path):
    with path.open() as file:
        return list(csv.DictReader(file, delimiter="\t"))
