"""The train step as a command: its files, its processes, its refusals."""

import json

import numpy as np
import pytest
import torch
from archives import call
from conftest import step
from training import arguments

from dawn import train
from dawn.engine import weights
from dawn.engine.shutdown import DIVERGED
from dawn.results.curve import read_curve
from dawn.tasks.classify.curve import EpochMetrics


def test_the_step_writes_its_files_and_leaves_no_state(data, params, tmp_path):
    out = tmp_path / "out"
    done = step("train", *arguments(params(run={"trace": True}), data, out, "--resume", tmp_path / "r"))
    assert done.returncode == 0, done.stderr
    assert sorted(p.name for p in out.iterdir()) == ["curve.tsv", "metrics.json", "model.safetensors", "trace.tsv"]
    assert not (tmp_path / "r").exists() or not any((tmp_path / "r").iterdir())
    assert [line.split("  ")[1].split()[0] for line in done.stderr.splitlines()] == ["epoch", "epoch"]
    assert len(read_curve(out / "curve.tsv", EpochMetrics)) == 2
    assert (out / "trace.tsv").read_text().count("\n") == 13
    metrics = json.loads((out / "metrics.json").read_text())
    assert metrics["steps"] == 12
    assert metrics["images_per_s"] == pytest.approx(12 * 16 / metrics["seconds"])
    tensors, header = weights.read_weights(out / "model.safetensors")
    assert header["classes"] == ["red", "green", "blue"]
    channels = {"mean": [0.3, 0.3, 0.3], "std": [0.15, 0.15, 0.15]}
    assert header["preprocessing"] == {"size": 32, "resize": "crop", "final_size": 32, **channels}
    assert header["train"]["batch"] == 16
    assert {t.dtype for t in tensors.values()} == {torch.float32}


@pytest.mark.full
def test_two_processes_are_one_experiment(data, params, tmp_path):
    path = params(train={"augment": {"pad": 2, "flip": "random"}, "accumulate": 2})
    outs = []
    for processes in (1, 2):
        outs.append(tmp_path / f"out{processes}")
        done = step("train", *arguments(path, data, outs[-1], "--resume", tmp_path / "r"), processes=processes)
        assert done.returncode == 0, done.stderr
    one, two = (weights.read_weights(out / "model.safetensors")[0] for out in outs)
    for name, tensor in one.items():
        # Sums in another order differ in their last bits, and more where an activation is near its kink.
        torch.testing.assert_close(two[name], tensor, atol=2e-4, rtol=1e-3)
    for a, b in zip(*(read_curve(out / "curve.tsv", EpochMetrics) for out in outs), strict=True):
        assert a.train_loss == pytest.approx(b.train_loss, rel=1e-4 if a.epoch == 1 else 1e-3)
        assert a.accuracy == pytest.approx(b.accuracy, abs=2.1)
    assert json.loads((outs[1] / "metrics.json").read_text())["processes"] == 2


@pytest.mark.full
def test_several_processes_refuse_in_one_line(data, params, tmp_path):
    done = step("train", *arguments(params(), tmp_path / "nowhere", tmp_path / "out"), processes=2)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "No such file or directory" in done.stderr
    broken = step("train", *arguments(params(train={"schedule": {"peak": 1e9}}), data, tmp_path / "out"), processes=2)
    assert broken.returncode == DIVERGED
    assert "lower train.schedule.peak" in broken.stderr
    assert "Traceback" not in broken.stderr


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: (d / "train_images.npy").write_bytes(b"junk"), "train_images.npy is not a whole .npy array"),
        (lambda d: (d / "train_images.npy").unlink(), "No such file or directory"),
        (
            lambda d: np.save(d / "train_labels.npy", np.zeros(3, np.uint8)),
            "train_labels.npy has not a class, 0 to 2, for each of the 96 images",
        ),
    ],
)
def test_broken_arrays_are_one_line(data, params, tmp_path, change, words):
    broken = tmp_path / "data"
    broken.mkdir()
    for file in data.iterdir():
        (broken / file.name).write_bytes(file.read_bytes())
    change(broken)
    refusal = call(train.main, *arguments(params(), broken, tmp_path / "out", "--resume", tmp_path / "r"))
    assert words in refusal
    assert "\n" not in refusal
    assert not (tmp_path / "out").exists()
