"""A seed is a training of its own: whatever trains two seeds in one directory, each starts from its own start."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from conftest import ROOT, experiment, in_full, step
from cycles import domains
from cycles import ready as ready_cycle
from gan_training import ready_gan
from training import CPU, WORLD, At, Never, arguments, assert_same_end, ready, trained

from dawn.core.cli import InputError
from dawn.engine.checkpoint import Checkpoints, checksum
from dawn.engine.shutdown import Interrupted
from dawn.race import run
from dawn.results import measurement
from dawn.runtime.clock import Clock
from dawn.tasks.classify.lr_range_test import sweep
from dawn.tasks.classify.train import set_up

EPOCHS = {"train": {"epochs": 3}, "run": {"save_every": 1}}  # two checkpoints before the end


def raced(data, directory, seed):
    settings = experiment(**EPOCHS)
    trainer = set_up(settings, data, data / "stats.json", seed, directory, WORLD, Clock(CPU))
    found = run(trainer, data, data / "stats.json", Never(), False)
    return trainer, found


def train_once(data, directory, seed):
    trainer = ready(data, directory, seed, **EPOCHS)
    list(trainer.run(Never()))
    return trainer


def gan_once(data, directory, seed):
    trainer = ready_gan(data, directory, seed)
    list(trainer.run(Never()))
    return trainer


def cycle_once(data, directory, seed):
    trainer = ready_cycle(data, directory, seed=seed)
    list(trainer.run(Never()))
    return trainer


CALLERS = {
    "train": train_once, "race": lambda *where: raced(*where)[0], "gan": gan_once, "cycle": cycle_once,
}  # fmt: skip


@pytest.fixture
def arrays(request, data, tmp_path):
    """The data set of a caller: images with labels, or two domains."""
    return domains(tmp_path / "domains") if request.node.callspec.params["caller"] == "cycle" else data


@pytest.mark.parametrize("caller", CALLERS)
def test_two_seeds_in_one_directory_are_as_in_fresh_ones(arrays, tmp_path, caller):
    once = CALLERS[caller]
    shared = [once(arrays, tmp_path / "shared", seed) for seed in (0, 1)]
    fresh = [once(arrays, tmp_path / f"fresh-{seed}", seed) for seed in (0, 1)]
    assert [(t.resumed, t.first_step) for t in shared] == [(0, 0), (0, 0)]
    ends = [[checksum(t.task.state_dict()) for t in trainers] for trainers in (shared, fresh)]
    assert ends[0] == ends[1]
    assert len(set(ends[0])) == 2
    starts = [[t.after_first_step for t in trainers] for trainers in (shared, fresh)]
    assert starts[0] == starts[1]
    assert len({*starts[0]}) == 2
    assert not list((tmp_path / "shared").rglob("*")), "a finished training leaves no checkpoint"


@pytest.mark.parametrize("caller", ["train", "gan", *in_full("race", "cycle")])
def test_a_killed_seed_is_not_continued_by_another(arrays, tmp_path, caller, monkeypatch):
    once = CALLERS[caller]
    whole = checksum(once(arrays, tmp_path / "whole", 1).task.state_dict())
    monkeypatch.setattr("dawn.engine.trainer.Trainer.delete_checkpoint", lambda trainer: None)
    once(arrays, tmp_path / "shared", 0)
    assert list((tmp_path / "shared").rglob("state.pt")), "seed 0 was killed after its last checkpoint"
    other = once(arrays, tmp_path / "shared", 1)
    assert (other.resumed, other.first_step) == (0, 0)
    assert checksum(other.task.state_dict()) == whole


def test_the_range_test_has_no_checkpoint_and_depends_on_its_seed_alone(data, tmp_path):
    settings = experiment(lr_find={"steps": 12})
    found = {}
    for place in ("one", "again"):
        trainers = [set_up(settings, data, data / "stats.json", seed, None, WORLD, Clock(CPU)) for seed in (0, 1)]
        for trainer in trainers:
            assert not trainer.resume()
        found[place] = [sweep(trainer) for trainer in trainers]
    assert found["one"] == found["again"]
    assert found["one"][0] != found["one"][1]


def test_the_checkpoint_of_another_seed_or_of_other_settings_is_refused(data, tmp_path):
    trainer = ready(data, tmp_path, **EPOCHS)
    with pytest.raises(Interrupted):
        list(trainer.run(At(trainer, 3)))
    source = trainer.checkpoints.directory / "state.pt"
    for wrong, reason in (
        (ready_without_resuming(data, tmp_path, 1, **EPOCHS), "seed 0"),
        (ready_without_resuming(data, tmp_path, 0, train={"epochs": 4}), "other settings, data or code"),
    ):
        wrong.checkpoints.directory.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, wrong.checkpoints.directory)
        with pytest.raises(InputError, match=f"is the checkpoint of another training \\({reason}\\)"):
            wrong.resume()
        assert wrong.step == 0


def ready_without_resuming(data, directory, seed, **over):
    return set_up(experiment(**over), data, data / "stats.json", seed, directory, WORLD, Clock(CPU))


def test_a_checkpoint_from_before_it_named_its_training_is_refused(tmp_path):
    checkpoints = Checkpoints(tmp_path, "key", 0)
    checkpoints.directory.mkdir(parents=True)
    torch.save({"step": 1}, checkpoints.directory / "state.pt")
    with pytest.raises(InputError, match=r"delete .* to train from the start"):
        checkpoints.load(CPU)


def test_a_resumed_training_names_its_first_step_and_keeps_the_checksum_of_its_start(data, tmp_path):
    whole = trained(data, tmp_path / "whole", **EPOCHS)
    first = ready(data, tmp_path / "stopped", **EPOCHS)
    with pytest.raises(Interrupted):
        list(first.run(At(first, 5)))
    resumed = ready(data, tmp_path / "stopped", **EPOCHS)
    list(resumed.run(Never()))
    assert (resumed.resumed, resumed.first_step, whole.first_step) == (1, 5, 0)
    assert resumed.after_first_step == whole.after_first_step
    assert_same_end(whole, resumed)


def test_a_command_that_is_killed_while_it_writes_keeps_its_checkpoint(data, params, tmp_path, monkeypatch):
    trainer = ready(data, tmp_path, **EPOCHS)
    list(trainer.run(Never(), keep_checkpoint=True))
    assert list(tmp_path.rglob("state.pt"))
    trainer.delete_checkpoint()
    assert not list(tmp_path.rglob("*"))


@pytest.mark.full
def test_the_commands_train_each_seed_from_its_start(data, params, tmp_path):
    path = params(**EPOCHS)
    for place in ("shared", "fresh"):
        for seed in (0, 1):
            resume = tmp_path / ("r" if place == "shared" else f"r-{seed}")
            line = arguments(path, data, tmp_path / place / f"seed-{seed}", "--resume", resume)
            line[line.index("--seed") + 1] = seed
            done = step("train", *line)
            assert done.returncode == 0, done.stderr
    for seed in (0, 1):
        ours, theirs = (tmp_path / place / f"seed-{seed}" for place in ("shared", "fresh"))
        assert (ours / "model.safetensors").read_bytes() == (theirs / "model.safetensors").read_bytes()
        metrics = json.loads((ours / "metrics.json").read_text())
        assert (metrics["resumed"], metrics["first_step"], len(metrics["after_first_step"])) == (0, 0, 16)


@pytest.mark.full
def test_the_stages_on_a_gpu_and_the_benchmark_of_races_train_each_seed_from_its_start(tmp_path):
    out = tmp_path / "gpu"
    bench(
        [
            "gpu.py",
            "--tiny",
            "--out",
            out,
            "--seeds",
            10,
            "--only",
            "record",
            "peers",
            "--measurement",
            tmp_path / "gpu-rows.json",
        ],
        tmp_path,
    )
    report = json.loads((out / "gpu.json").read_text())
    for stage in ("record", "peers"):
        for rows in report["stages"][stage]["found"]["rows"].values():
            assert [(row["resumed"], row["first_step"]) for row in rows] == [(0, 0)] * len(rows)
            assert len({row["after_first_step"] for row in rows}) == len(rows) > 1
    assert len({row["process"] for row in report["stages"]["record"]["found"]["rows"]["record"]}) >= 4
    rows = measurement.read(tmp_path / "gpu-rows.json").rows
    assert len(rows) == 10 + 3 * 2
    for variant in {row.variant for row in rows}:
        of_variant = [row for row in rows if row.variant == variant]
        assert measurement.independent(of_variant) == len(of_variant) > 1


def bench(line, folder: Path):
    """Run a benchmark in a process of its own."""
    path = [sys.executable, str(ROOT / "tests/bench" / line[0]), *map(str, line[1:])]
    done = subprocess.run(path, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr + done.stdout
