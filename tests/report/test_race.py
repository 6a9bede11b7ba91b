"""The report of a race: every run counts, each phase has its interval, the page states what the figures are."""

import json

import pytest
from scipy import stats

from dawn.report.page import markdown
from dawn.tasks.classify.race_page import line, page, tally

UNTIMED = {"load": 1.0, "build": 0.5, "compile": 0.0, "monitor": 0.2, "save": 0.0}


def run(seed, accuracy, train, **more):
    phases = {"whiten": 0.1, "train": train, "evaluate": 0.4}
    return {
        "seed": seed, "accuracy": accuracy, "seconds": sum(phases.values()), "seconds_by_phase": phases,
        "seconds_untimed": UNTIMED | {"compile": 20.0 if seed == 0 else 0.0},
        "images_per_s": 1e4, "joules": 50.0 * train,
        "energy_source": "nvml", "seconds_to_target": train if accuracy > 94 else None, "resumed": 0, "parameters": 5,
        "precision": "fp16", "device": "NVIDIA H200", "processes": 1,
    } | more  # fmt: skip


RUNS = [run(0, 94.1, 2.0), run(1, 93.9, 2.2), run(2, 94.3, 2.1)]


def test_every_run_counts_and_each_phase_has_its_spread():
    race = tally(RUNS, 94.0)
    times = [2.5, 2.7, 2.6]
    low, high = stats.ttest_1samp(times, 0).confidence_interval(0.95)  # here on the scale of logarithms
    assert (race["clock"]["low"], race["clock"]["high"]) == pytest.approx((low, high), rel=0.01)
    assert (race["clock"]["min"], race["clock"]["max"]) == pytest.approx((2.5, 2.7))
    assert race["phases"]["train"]["mean"] == pytest.approx(2.1)
    assert sum(race["phases"][p]["mean"] for p in race["phases"]) == pytest.approx(race["clock"]["mean"])
    assert race["target"]["share"] == pytest.approx(200 / 3)
    assert race["untimed"]["compile"] == {"first": 20.0, "rest": 0.0, "total": 20.0}
    assert race["seconds_to_target"]["seeds"] == 2
    assert race["seconds_to_target"]["mean"] == pytest.approx(2.05)
    assert race["joules"]["mean"] == pytest.approx(105)
    assert [run["seed"] for run in race["runs"]] == [0, 1, 2]
    json.dumps(race, allow_nan=False)


def test_the_page_states_what_the_figures_are():
    text = markdown(page(tally(RUNS, 94.0)))
    assert "**94.10 % (95 % interval 93.58 to 94.58, std 0.20) after 2.600 s" in text
    assert "3 seeds, 1 x NVIDIA H200, fp16" in text
    assert "| timed, s | 2.600 | 0.100 | 2.363 to 2.861 | 2.500 | 2.700 |" in text
    assert "| whitening filters of the first layer, s | 0.100 |" in text
    assert "- seeds at or above 94 %: 67 % (21 to 94)" in text
    assert "2 of 3 seeds" in text
    assert "| energy while timed, J | 105 |" in text
    assert "the warm-up of both | 20.000 | 0.000 | 20.000 |" in text
    assert "interruption" not in text
    assert line(RUNS[1]).startswith("seed 1  93.90 %  2.700 s timed (whiten 0.100, train 2.200, evaluate 0.400)")


RESUMED = {"resumed": 1, "first_step": 7, "after_first_step": "abc"}


def test_one_run_without_energy_that_was_resumed():
    race = tally([run(0, 90.0, 2.0, joules=None, energy_source=None, device="cpu", **RESUMED)], 94.0)
    text = markdown(page(race))
    assert race["seconds_to_target"] is None
    assert "| accuracy, % | 90.00 | – | – | 90.00 | 90.00 |" in text
    assert "first monitored at 94 %: never" in text
    assert "energy: not measured" in text
    assert "independent trainings: 1 of 1; continued from their own checkpoints: seed 0 at step 7" in text
    assert "1 x CPU" in text
