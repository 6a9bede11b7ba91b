"""Phases exclude each other, count what they took also when they raise, and wait for a GPU's queue."""

import pytest
import torch
from training import CPU, At, ready

from dawn.engine.shutdown import Interrupted
from dawn.runtime import clock as module
from dawn.runtime.clock import Clock


class Ticks:
    """A clock that the test moves, in place of ``time``."""

    now = 0.0

    def perf_counter(self):
        return self.now


class Charges:
    source = "test"

    def __init__(self):
        self.joules = {"train": 1.0}
        self.phases = []

    def charge(self, phase):
        self.phases.append(phase)


@pytest.fixture
def ticks(monkeypatch):
    ticks = Ticks()
    monkeypatch.setattr(module, "time", ticks)
    return ticks


def test_a_checkpoint_inside_a_phase_holds_the_seconds_of_the_phase_so_far(ticks):
    clock = Clock(CPU)
    with clock.phase("train"):
        ticks.now = 5.0
        with clock.phase("save"):
            assert clock.state()["seconds"] == {"train": 5.0}
            ticks.now = 7.0
        ticks.now = 8.0
    assert clock.seconds == {"train": 6.0, "save": 2.0}


def test_time_between_phases_counts_for_none_and_a_phase_that_raises_counts(ticks):
    clock = Clock(CPU)
    for _ in range(2):
        ticks.now += 10
        with pytest.raises(KeyError), clock.phase("train"):
            ticks.now += 1
            raise KeyError
    assert clock.seconds == {"train": 2.0}


def test_energy_is_charged_to_the_phase_that_ends(ticks):
    meter = Charges()
    clock = Clock(CPU, meter)
    with clock.phase("train"), clock.phase("save"):
        pass
    assert meter.phases == [None, "train", "save", "train"]


def test_a_checkpoint_restores_the_phases_that_are_named_and_no_other(ticks):
    meter = Charges()
    clock = Clock(CPU, meter, {"build": 3.0})
    clock.restore({"seconds": {"train": 4.0, "build": 9.0}, "joules": {"train": 50.0, "build": 70.0}}, "train", "save")
    assert clock.state() == {"seconds": {"build": 3.0, "train": 4.0, "save": 0.0}, "joules": {"train": 50.0}}


def test_every_change_of_phase_waits_for_the_gpu(monkeypatch):
    waits = []
    monkeypatch.setattr(torch.cuda, "synchronize", waits.append)
    device = torch.device("cuda", 1)
    with Clock(device).phase("train"):
        assert waits == [device]
    assert waits == [device, device]


def test_a_training_that_is_stopped_inside_an_epoch_keeps_the_seconds_of_its_steps(data, tmp_path):
    trainer = ready(data, tmp_path)
    with pytest.raises(Interrupted):
        list(trainer.run(At(trainer, 3)))
    saved = trainer.checkpoints.load(CPU)["seconds"]
    assert 0 < saved["train"] <= trainer.clock.seconds["train"]
    resumed = ready(data, tmp_path)
    assert resumed.clock.seconds["train"] == saved["train"]
