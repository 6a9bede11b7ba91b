"""Stopped or killed at any step, a training ends as if it had not been."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from functools import cache
from itertools import product
from pathlib import Path

import pytest
from archives import call
from conftest import experiment, in_full, step
from training import CPU, arguments, assert_same, ended, ready, stopped_and_resumed, trained

from dawn import train
from dawn.core.cli import InputError
from dawn.engine import checkpoint
from dawn.results.curve import read_curve
from dawn.tasks.classify.curve import EpochMetrics

FULL = {
    "train": {"epochs": 3, "batch": 16, "ema": 0.9, "augment": {"pad": 2, "flip": "random"}},
    "model": {"family": "wrn", "depth": 10, "width": 0.25, "dropout": 0.2},  # narrow: a CPU is slow in fp16
    "run": {"trace": True},
}


def untimed(row):
    return replace(row, images_per_s=0, seconds=0)


def of(kind):
    """The settings of a training in a precision."""
    return FULL | {"train": FULL["train"] | {"precision": kind}}


@pytest.fixture(scope="module")
def unbroken(data, tmp_path_factory):
    """A function: how a training in a precision ends, and its curve; it is trained once."""

    @cache
    def once(kind):
        trainer = trained(data, tmp_path_factory.mktemp(kind), **of(kind))
        return ended(trainer), list(map(untimed, trainer.curve))

    return once


@pytest.mark.parametrize(
    ("kind", "stop"),
    [
        *(("fp32", stop) for stop in (1, 6, 11, 17)),
        *(("fp16", 11), ("half", 11)),  # they differ in what a checkpoint holds, not in where it is written
        *in_full(*product(("fp16", "half"), (1, 6, 17))),
    ],
)
def test_a_training_stopped_at_any_step_ends_as_an_unbroken_one(data, tmp_path, unbroken, kind, stop):
    end, curve = unbroken(kind)
    resumed = stopped_and_resumed(data, tmp_path, stop, **of(kind))
    assert_same(ended(resumed), end)
    assert list(map(untimed, resumed.curve)) == curve
    assert len(resumed.trace) == 18


def test_a_state_belongs_to_its_choices_data_and_code(data, tmp_path, monkeypatch):
    stats = data / "stats.json"
    one = checkpoint.training_key(experiment(), data, stats, "cpu")
    assert one == checkpoint.training_key(experiment(), data, stats, "cpu")
    assert one != checkpoint.training_key(experiment(), data, stats, "cuda")
    assert one != checkpoint.training_key(experiment(train={"epochs": 9}), data, stats, "cpu")
    (tmp_path / "stats.json").write_text("{}")
    assert one != checkpoint.training_key(experiment(), data, tmp_path / "stats.json", "cpu")
    monkeypatch.setattr(checkpoint, "code", lambda *command: [Path(__file__)])
    assert one != checkpoint.training_key(experiment(), data, stats, "cpu")


def test_a_broken_state_is_refused_and_nothing_runs_from_it(tmp_path):
    checkpoints = checkpoint.Checkpoints(tmp_path, "key", 0)
    checkpoints.save({"step": 1})
    (checkpoints.directory / "state.pt").write_bytes(b"not a state")
    with pytest.raises(InputError, match=r"delete .* to train from the start"):
        checkpoints.load(CPU)


def start(path, data, out, resume, processes=1):
    launch = ["dawn.launch", "--processes", str(processes), "dawn.train"] if processes > 1 else ["dawn.train"]
    line = [sys.executable, "-m", *launch, *map(str, arguments(path, data, out, "--resume", resume))]
    return subprocess.Popen(line, stderr=subprocess.PIPE, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"})


def wait_for_state(resume):
    for _ in range(1200):
        if found := list(resume.glob("*/seed-0/state.pt")):
            return found[0]
        time.sleep(0.05)
    raise AssertionError("no state came")


@pytest.mark.full
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_killed_and_run_again_it_ends_with_the_same_weights(data, params, tmp_path, number):
    path = params(train={"epochs": 40, "ema": 0.9, "augment": {"pad": 2, "flip": "random"}})
    out, resume = tmp_path / "out", tmp_path / "r"
    whole = step("train", *arguments(path, data, tmp_path / "whole", "--resume", tmp_path / "r2"))
    assert whole.returncode == 0, whole.stderr
    process = start(path, data, out, resume)
    wait_for_state(resume)
    process.send_signal(number)
    process.communicate()
    assert process.returncode == (-9 if number == signal.SIGKILL else 75)
    assert not out.exists()
    done = step("train", *arguments(path, data, out, "--resume", resume))
    assert done.returncode == 0, done.stderr
    assert "continues after step" in done.stderr
    assert (out / "model.safetensors").read_bytes() == (tmp_path / "whole" / "model.safetensors").read_bytes()
    assert json.loads((out / "metrics.json").read_text())["resumed"] == 1


@pytest.mark.full
def test_two_processes_stop_together_and_go_on(data, params, tmp_path):
    path = params(train={"epochs": 25})
    process = start(path, data, tmp_path / "out", tmp_path / "r", processes=2)
    wait_for_state(tmp_path / "r")
    begun = time.monotonic()
    process.send_signal(signal.SIGTERM)
    process.communicate()
    assert process.returncode == 75
    assert time.monotonic() - begun < 30
    done = step("train", *arguments(path, data, tmp_path / "out", "--resume", tmp_path / "r"), processes=2)
    assert done.returncode == 0, done.stderr
    assert "continues after step" in done.stderr
    assert len(read_curve(tmp_path / "out" / "curve.tsv", EpochMetrics)) == 25


def test_other_choices_do_not_use_the_state(data, params, tmp_path, capsys):
    first = ready(data, tmp_path / "r" / "a" / "seed-0")
    first.step = 6
    first.save()
    assert call(train.main, *arguments(params(), data, tmp_path / "out", "--resume", tmp_path / "r")) is None
    assert "continues" not in capsys.readouterr().err
