"""The metrics of a run: what is timed and what is not, and the energy of the timed phases."""

import json

import pytest
import torch
from training import At, Never, ready, trained

from dawn.engine import trainer as engine_trainer
from dawn.engine.shutdown import Interrupted
from dawn.monitoring import run_metrics as run_metrics_module
from dawn.monitoring.energy import Meter
from dawn.monitoring.run_metrics import run_metrics, total_joules
from dawn.results import provenance
from dawn.results.phases import TIMED, UNTIMED
from dawn.runtime.distributed import World
from dawn.tasks.classify.train import result


def test_time_and_energy_are_those_of_the_timed_phases(data, tmp_path):
    trainer = trained(data, tmp_path)
    trainer.clock.meter = Meter("rapl", joules={"whiten": 1.0, "train": 50.0, "monitor": 1000.0})
    metrics = run_metrics(trainer, result(trainer))
    assert json.loads(json.dumps(metrics, allow_nan=False)) == metrics
    assert set(metrics["seconds_by_phase"]) == {"whiten", "train"} < set(TIMED)
    assert metrics["seconds"] == pytest.approx(sum(metrics["seconds_by_phase"].values()))
    assert set(metrics["seconds_untimed"]) == set(UNTIMED)
    assert metrics["seconds_untimed"]["monitor"] > 0
    assert metrics["images_per_s"] == pytest.approx(12 * 16 / metrics["seconds"])
    assert (metrics["joules"], metrics["energy_source"]) == (51.0, "rapl")
    assert (metrics["threads"], metrics["device"]) == (torch.get_num_threads(), "cpu")
    assert metrics["parameters"] == sum(p.numel() for p in trainer.task.state.net.parameters())


def test_a_training_names_every_machine_that_it_ran_on(data, tmp_path, monkeypatch):
    first = ready(data, tmp_path)
    with pytest.raises(Interrupted):
        list(first.run(At(first, 3)))
    other = provenance.here() | {"host": "other"}
    for module in (run_metrics_module, engine_trainer):
        monkeypatch.setattr(module, "here", lambda: other)
    resumed = ready(data, tmp_path)
    list(resumed.run(Never()))
    assert run_metrics(resumed, result(resumed))["ran_on"] == [provenance.here(), other]
    again = ready(data, tmp_path / "again")
    list(again.run(Never()))
    assert run_metrics(again, result(again))["ran_on"] == [other]
    assert {"host", "python", "machine", "packages"} == other.keys()
    assert torch.__version__.startswith(other["packages"]["torch"])


def test_without_a_counter_for_every_phase_there_is_no_energy(data, tmp_path):
    trainer = trained(data, tmp_path, train={"epochs": 1})
    assert (
        run_metrics(trainer, result(trainer))["joules"],
        run_metrics(trainer, result(trainer))["energy_source"],
    ) == (None, None)
    trainer.clock.meter = Meter("rapl", joules={"whiten": 1.0, "train": None})
    assert run_metrics(trainer, result(trainer))["joules"] is None
    trainer.clock.meter.joules["train"] = 2.0
    assert run_metrics(trainer, result(trainer))["joules"] == 3.0
    trainer.resumed, trainer.world = 1, World(0, 2, trainer.world.device)  # the checkpoint has one process's energy
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.distributed, "all_reduce", lambda tensor: tensor.mul_(2))
        patch.setattr(torch.distributed, "all_gather_object", lambda values, value: None)
        assert run_metrics(trainer, result(trainer))["joules"] is None
        assert total_joules(4.0, trainer.world) == 8.0
