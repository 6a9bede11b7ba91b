"""The page about a run: what it claims, how the experiment differs from what is known, where it ran."""

import json
import subprocess

import pytest
import yaml
from conftest import ROOT, experiment

from dawn.config.experiment import check, merge, read
from dawn.report.page import Bullets, Table
from dawn.summary import claim, differences, known, origin, result, times
from dawn.summary import experiment as section

SPREAD = {"mean": 94.0, "std": 0.1, "low": 93.8, "high": 94.2}
ONE = {"mean": 94.0, "std": None, "low": None, "high": None}
METRICS = {
    "seeds": 3, "accuracy": SPREAD, "loss": ONE, "calibration_error": ONE, "seconds": SPREAD, "images_per_s": ONE,
    "dollars": None, "parameters": 1_000, "flops": 2_000_000,
    "target": {"accuracy": 94, "share": 66.7, "low": 20, "high": 94, "seconds": None},
}  # fmt: skip
TRAINING = {
    "seconds": 10.0, "seconds_untimed": {"load": 1.0, "build": 0.5, "compile": 0.0}, "device": "NVIDIA H100",
    "processes": 2, "precision": "fp16",
}  # fmt: skip
RECORD = {
    "written": "2026-01-01T00:00:00+00:00", "python": "3.12.1", "packages": {"torch": "2.15.0"},
    "machine": {"cpu": "A CPU", "cores": 8, "gpus": ["NVIDIA H100, 80 GiB, 570"], "system": "Linux", "image": None},
    "code": {"commit": "abc", "dirty": True, "locks": {"dev.lock": "f" * 64}}, "data": {"sha256": "e" * 64},
}  # fmt: skip


def items(blocks):
    return [item for block in blocks if isinstance(block, Bullets) for item in block.items]


def test_the_claim_has_its_interval_or_none():
    assert claim(METRICS) == "94.00 % (95 % interval 93.80 to 94.20, std 0.10) test accuracy over 3 seeds"
    assert claim(METRICS | {"seeds": 1, "accuracy": ONE}) == "94.00 % test accuracy over 1 seed"
    text = " ".join(items(result(METRICS)))
    assert "67 % of the seeds (95 % interval 20 to 94)" in text
    assert "not reached in training" in text
    assert "dollars" not in text
    assert "price: 94.0000 dollars" in " ".join(items(result(METRICS | {"dollars": ONE})))


def test_differences_are_the_leaves_that_differ():
    assert differences(experiment(), experiment()) == []
    changed = experiment(train={"epochs": 7, "schedule": {"peak": 0.2}}, run={"save_every": 9})
    assert differences(experiment(), changed) == [("train.epochs", 2, 7), ("train.schedule.peak", 0.1, 0.2)]
    other = differences(experiment(), experiment(model={"family": "wrn", "depth": 16, "width": 2}))
    assert ("model.family", "darknet", "wrn") in other
    assert ("model.slope", 0.1, None) in other


def test_an_experiment_is_told_by_the_nearest_that_is_known():
    base = read(ROOT / "params.yaml")
    demo = read(ROOT / "workflow/presets/demo.yaml")
    assert "params.yaml" in next(iter(known(ROOT)))
    assert items(section(check(merge(base, demo)), ROOT))[0] == "the preset demo, unchanged"
    near = section(check(merge(merge(base, demo), {"train": {"epochs": 5}})), ROOT)
    assert items(near)[0] == "the preset demo, except for:"
    assert near[-1] == Table(("setting", "the preset demo", "this run"), [("train.epochs", "4", "5")])


def test_known_is_what_git_has_where_there_is_git(tmp_path):
    (tmp_path / "workflow/presets").mkdir(parents=True)
    text = yaml.safe_dump(experiment().model_dump(mode="json"))
    (tmp_path / "params.yaml").write_text(text)
    assert list(known(tmp_path)) == ["params.yaml"]
    for line in (["init", "-q"], ["add", "."], ["-c", "user.name=A", "-c", "user.email=a@b.c", "commit", "-qm", "x"]):
        subprocess.run(["git", *line], cwd=tmp_path, check=True)
    (tmp_path / "params.yaml").write_text(text.replace("epochs: 2", "epochs: 9"))
    (name, found), *_ = known(tmp_path).items()
    assert name.startswith("params.yaml at ")
    assert found.train.epochs == 2


def test_times_and_origin():
    table = times([TRAINING, TRAINING | {"seconds": 12.0}])[-1].rows
    assert ("train", "the clock: steps and augmentation", "11.0", "10.0 to 12.0") in table
    assert "compile" not in {row[0] for row in table}
    words = "\n".join(items(origin(RECORD, [TRAINING])))
    for fact in ("2 x NVIDIA H100, fp16", "torch 2.15.0", "abc, with uncommitted changes", "570", "e" * 64):
        assert fact in words


@pytest.mark.full
def test_a_run_ends_with_its_page(finished):
    text = (finished.results / "summary.md").read_text()
    assert "test accuracy over 2 seeds" in text.splitlines()[0]
    for heading in ("Result", "Experiment", "Seconds of a training", "Machine", "Provenance"):
        assert f"## {heading}" in text
    record = json.loads((finished.results / "provenance.json").read_text())
    assert {"commit", "dirty", "locks"} == set(record["code"])
    assert record["data"]["sha256"][:16] in text
