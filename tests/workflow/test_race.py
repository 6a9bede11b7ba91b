"""The race: the same weights as a training's, every seed, one clock, continued after an interruption."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
import workspace
from conftest import step
from training import arguments

from dawn.results import measurement


def race_arguments(path, data, out, resume):
    line = ["--params", path, "--data", data, "--stats", data / "stats.json", "--resume", resume]
    return [*line, "--out", out / "race.json", "--text", out / "race.md", "--measurement", out / "rows.json"]


@pytest.mark.full
def test_a_run_is_the_training_and_its_evaluation(data, params, tmp_path):
    over = {"augment": {"pad": 2, "flip": "random"}, "ema": 0.9}
    path = params(seeds=[3, 1], train=over, evaluate={"tta": "six", "tta_fraction": 0.5, "target": 30})
    done = step("race", *race_arguments(path, data, tmp_path, tmp_path / "r"))
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "race.json").read_text())
    assert (tmp_path / "race.md").read_text() in done.stderr
    assert not (tmp_path / "r").exists() or not any((tmp_path / "r").iterdir())
    for run in found["runs"]:
        out, seed = tmp_path / str(run["seed"]), run["seed"]
        trained = step("train", *arguments(path, data, out, "--resume", tmp_path / "r", "--seed", seed))
        assert trained.returncode == 0, trained.stderr
        line = ["--params", path, "--data", data, "--stats", data / "stats.json"]
        assert step("evaluate", *line, "--model", out / "model.safetensors", "--out", out).returncode == 0
        evaluation = json.loads((out / "evaluation.json").read_text())
        assert (run["accuracy"], run["loss"]) == (evaluation["accuracy"], evaluation["loss"])
        phases = run["seconds_by_phase"]
        assert set(phases) == {"whiten", "train", "evaluate"}
        assert run["seconds"] == pytest.approx(sum(phases.values()))
        assert 0 < run["seconds_to_target"] <= phases["whiten"] + phases["train"]
        assert set(run["seconds_untimed"]) == {"load", "build", "compile", "monitor", "save"}
    assert [run["seed"] for run in found["runs"]] == [3, 1]
    rows = measurement.read(tmp_path / "rows.json").rows
    assert [(row.seed, row.first_step, row.resumed) for row in rows] == [(3, 0, 0), (1, 0, 0)]
    for row, run in zip(rows, found["runs"], strict=True):
        assert row.values["accuracy"] == run["accuracy"]
        assert row.values["seconds_train"] == run["seconds_by_phase"]["train"]
    assert found["runs"][0]["loss"] != found["runs"][1]["loss"]


@pytest.mark.full
def test_a_race_that_was_stopped_goes_on_and_runs_no_seed_twice(data, params, tmp_path):
    path = params(seeds=4, train={"epochs": 20})
    whole = step("race", *race_arguments(path, data, tmp_path / "whole", tmp_path / "r1"))
    assert whole.returncode == 0, whole.stderr
    line = race_arguments(path, data, tmp_path / "out", tmp_path / "r2")
    process = subprocess.Popen(
        [sys.executable, "-m", "dawn.race", *map(str, line)], stderr=subprocess.PIPE, text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    while not list((tmp_path / "r2").glob("*/race/runs.json")):
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    process.communicate()
    assert process.returncode == 75
    assert not (tmp_path / "out").exists()
    again = step("race", *line)
    assert again.returncode == 0, again.stderr
    assert "seed 0 " not in again.stderr
    results = [json.loads((tmp_path / name / "race.json").read_text())["runs"] for name in ("whole", "out")]
    assert [run["loss"] for run in results[0]] == [run["loss"] for run in results[1]]


@pytest.mark.full
def test_two_processes_race_alike(data, params, tmp_path):
    path = params(seeds=2)
    runs = []
    for processes in (1, 2):
        out = tmp_path / str(processes)
        done = step("race", *race_arguments(path, data, out, tmp_path / "r"), processes=processes)
        assert done.returncode == 0, done.stderr
        runs.append(json.loads((out / "race.json").read_text())["runs"])
    for one, two in zip(*runs, strict=True):
        assert one["loss"] == pytest.approx(two["loss"], rel=1e-3)
        assert two["processes"] == 2


@pytest.mark.full
def test_the_target_races_and_knows_what_decides_it(tmp_path):
    place = workspace.make(tmp_path)
    done = place.snakemake("race", "seeds=2")
    assert done.returncode == 0, done.stderr
    assert json.loads((place.path / "results/race.json").read_text())["seeds"] == 2
    assert "after" in (place.path / "results/race.md").read_text()
    rows = json.loads((place.path / "results/race-measurement.json").read_text())
    assert [(row["seed"], row["first_step"], row["resumed"]) for row in rows["rows"]] == [(0, 0, 0), (1, 0, 0)]
    assert rows["command"].startswith("snakemake ")
    assert not (place.path / "results/seed-0").exists()
    target = ("--cores", "1", "race")
    assert place.planned(*target, "seeds=2") == set()
    assert place.planned(*target, "seeds=3") == {"race", "race_seeds"}
    assert place.planned(*target, "seeds=2", "evaluate={tta: mirror}") == {"race", "race_seeds"}
    assert place.planned(*target, "seeds=2", "submission={author: me}") == set()
