"""The race: the same weights as a training's, every seed, one clock, and what is said of it."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
import workspace
from conftest import step
from scipy import stats
from training import arguments

from dawn.report.race import line, page, tally

BESIDE = {"load": 1.0, "build": 0.5, "compile": 0.0, "monitor": 0.2, "save": 0.0}


def row(seed, accuracy, train, **more):
    phases = {"whiten": 0.1, "train": train, "evaluate": 0.4}
    return {
        "seed": seed, "accuracy": accuracy, "seconds": sum(phases.values()), "seconds_by_phase": phases,
        "seconds_untimed": BESIDE | {"compile": 20.0 if seed == 0 else 0.0},
        "images_per_s": 1e4, "joules": 50.0 * train,
        "energy_source": "nvml", "arrived": train if accuracy > 94 else None, "resumed": 0, "parameters": 5,
        "precision": "fp16", "device": "NVIDIA H200", "processes": 1,
    } | more  # fmt: skip


ROWS = [row(0, 94.1, 2.0), row(1, 93.9, 2.2), row(2, 94.3, 2.1)]


def test_every_seed_counts_and_each_phase_has_its_spread():
    found = tally(ROWS, 94.0)
    times = [2.5, 2.7, 2.6]
    low, high = stats.ttest_1samp(times, 0).confidence_interval(0.95)  # here on the scale of logarithms
    assert (found["clock"]["low"], found["clock"]["high"]) == pytest.approx((low, high), rel=0.01)
    assert (found["clock"]["least"], found["clock"]["most"]) == pytest.approx((2.5, 2.7))
    assert found["phases"]["train"]["mean"] == pytest.approx(2.1)
    assert sum(found["phases"][p]["mean"] for p in found["phases"]) == pytest.approx(found["clock"]["mean"])
    assert found["target"]["share"] == pytest.approx(200 / 3)
    assert found["beside"]["compile"] == {"first": 20.0, "rest": 0.0, "total": 20.0}
    assert found["arrived"]["seeds"] == 2
    assert found["joules"]["mean"] == pytest.approx(105)
    assert [heat["seed"] for heat in found["heats"]] == [0, 1, 2]
    json.dumps(found, allow_nan=False)


def test_the_page_says_what_the_figures_say():
    text = page(tally(ROWS, 94.0))
    assert "**94.10 % (95 % interval 93.58 to 94.58, std 0.20)** after **2.600 s" in text
    assert "3 seeds, 1 x NVIDIA H200, fp16" in text
    assert "| the clock, s | 2.600 | 0.100 | 2.363 to 2.861 | 2.500 | 2.700 |" in text
    assert "| - whitening filters of the first layer, s | 0.100 |" in text
    assert "at or above 94 %: 67 % of the seeds (95 % interval 21 to 94)" in text
    assert "2 of 3 seeds" in text
    assert "| energy of the clock, J | 105 |" in text
    assert "| compile | 20.000 | 0.000 | 20.000 |" in text
    assert "interrupted" not in text
    assert "seed 1  93.90 %  2.700 s on the clock (whiten 0.100, train 2.200, evaluate 0.400)" in line(ROWS[1])


def test_one_seed_without_energy_that_went_on_says_so():
    text = page(tally([row(0, 90.0, 2.0, joules=None, energy_source=None, resumed=1, device="cpu")], 94.0))
    assert "| accuracy, % | 90.00 |  |  | 90.00 | 90.00 |" in text
    assert "first monitored at 94 %: never" in text
    assert "energy: not told by this device" in text
    assert "interrupted and continued: 1 of 1 seeds" in text
    assert "1 x CPU" in text


def race_arguments(path, data, out, resume):
    line = ["--params", path, "--data", data, "--stats", data / "stats.json", "--resume", resume]
    return [*line, "--out", out / "race.json", "--text", out / "race.md"]


@pytest.mark.full
def test_a_heat_is_the_training_and_its_evaluation(data, params, tmp_path):
    over = {"augment": {"pad": 2, "flip": "random"}, "ema": 0.9}
    path = params(seeds=[3, 1], train=over, evaluate={"tta": "six", "tta_fraction": 0.5, "target": 30})
    done = step("race", *race_arguments(path, data, tmp_path, tmp_path / "r"))
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "race.json").read_text())
    assert (tmp_path / "race.md").read_text() in done.stderr
    assert not (tmp_path / "r").exists() or not any((tmp_path / "r").iterdir())
    for heat in found["heats"]:
        out, seed = tmp_path / str(heat["seed"]), heat["seed"]
        trained = step("train", *arguments(path, data, out, "--resume", tmp_path / "r", "--seed", seed))
        assert trained.returncode == 0, trained.stderr
        line = ["--params", path, "--data", data, "--stats", data / "stats.json"]
        assert step("evaluate", *line, "--model", out / "model.safetensors", "--out", out).returncode == 0
        judged = json.loads((out / "evaluation.json").read_text())
        assert (heat["accuracy"], heat["loss"]) == (judged["accuracy"], judged["loss"])
        phases = heat["seconds_by_phase"]
        assert set(phases) == {"whiten", "train", "evaluate"}
        assert heat["seconds"] == pytest.approx(sum(phases.values()))
        assert 0 < heat["arrived"] <= phases["whiten"] + phases["train"]
        assert set(heat["seconds_untimed"]) == {"load", "build", "compile", "monitor", "save"}
    assert [heat["seed"] for heat in found["heats"]] == [3, 1]
    assert found["heats"][0]["loss"] != found["heats"][1]["loss"]


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
    while not list((tmp_path / "r2").glob("*/race/rows.json")):
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    process.communicate()
    assert process.returncode == 75
    assert not (tmp_path / "out").exists()
    again = step("race", *line)
    assert again.returncode == 0, again.stderr
    assert "seed 0 " not in again.stderr
    results = [json.loads((tmp_path / name / "race.json").read_text())["heats"] for name in ("whole", "out")]
    assert [heat["loss"] for heat in results[0]] == [heat["loss"] for heat in results[1]]


@pytest.mark.full
def test_two_processes_race_alike(data, params, tmp_path):
    path = params(seeds=2)
    heats = []
    for processes in (1, 2):
        out = tmp_path / str(processes)
        done = step("race", *race_arguments(path, data, out, tmp_path / "r"), processes=processes)
        assert done.returncode == 0, done.stderr
        heats.append(json.loads((out / "race.json").read_text())["heats"])
    for one, two in zip(*heats, strict=True):
        assert one["loss"] == pytest.approx(two["loss"], rel=1e-3)
        assert two["processes"] == 2


@pytest.mark.full
def test_the_target_races_and_knows_what_decides_it(tmp_path):
    place = workspace.make(tmp_path)
    done = place.snakemake("race", "seeds=2")
    assert done.returncode == 0, done.stderr
    assert json.loads((place.path / "results/race.json").read_text())["seeds"] == 2
    assert "after" in (place.path / "results/race.md").read_text()
    assert not (place.path / "results/seed-0").exists()
    target = ("--cores", "1", "race")
    assert place.planned(*target, "seeds=2") == set()
    assert place.planned(*target, "seeds=3") == {"race", "race_seeds"}
    assert place.planned(*target, "seeds=2", "evaluate={tta: mirror}") == {"race", "race_seeds"}
    assert place.planned(*target, "seeds=2", "submission={author: me}") == set()
