"""Small trainings, in this process and as a step of their own."""

import pytest
import torch
from conftest import experiment

from dawn.engine.shutdown import Interrupted, StopRequest
from dawn.runtime.clock import Clock
from dawn.runtime.distributed import World
from dawn.tasks.classify.train import set_up

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


class Never(StopRequest):
    """No request to stop, and no signal handlers."""

    def __init__(self):
        self.first, self.requested = True, False


class At(Never):
    """A request to stop after a step of a trainer."""

    def __init__(self, trainer, step):
        self.first, self.trainer, self.step = True, trainer, step

    @property
    def requested(self):
        return self.trainer.step == self.step


def ready(data, directory, seed=0, world=WORLD, **over):
    """A trainer of the tiny experiment with settings merged over it, resumed."""
    clock = Clock(world.device)
    trainer = set_up(experiment(**over), data, data / "stats.json", seed, directory, world, clock)
    trainer.resume()
    return trainer


def trained(data, tmp_path, seed=0, **over):
    trainer = ready(data, tmp_path / "state", seed, **over)
    list(trainer.run(Never()))
    return trainer


def stopped_and_resumed(data, tmp_path, step, **over):
    """A training that is stopped after a step, and another that continues from its checkpoint to the end."""
    first = ready(data, tmp_path / "stopped", **over)
    with pytest.raises(Interrupted):
        list(first.run(At(first, step)))
    torch.manual_seed(12345)
    resumed = ready(data, tmp_path / "stopped", **over)
    assert resumed.step == step
    list(resumed.run(Never()))
    return resumed


def ended(trainer):
    """The weights and statistics of a training, which ends with this, and its trace."""
    trainer.task.state.finish()
    return trainer.task.state.net.state_dict(), trainer.trace


def assert_same(end, other):
    """Assert that two trainings have ended with the same weights, statistics and trace."""
    (ours, trace), (theirs, expected) = end, other
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    assert trace == expected


def assert_same_end(one, other):
    """Assert that two trainings end with the same weights, statistics and trace."""
    assert_same(ended(one), ended(other))


def weights(trainer):
    return [p.detach().clone() for p in trainer.task.state.net.parameters()]


def arguments(path, data, out, *more):
    return ["--params", path, "--data", data, "--stats", data / "stats.json", "--seed", 0, "--out", out, *more]
