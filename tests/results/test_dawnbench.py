"""A DAWNBench entry: what its clock counts, and whose accuracy it gives."""

import datetime

from conftest import experiment
from seed_files import seed

from dawn.core.reading import read_json
from dawn.dawnbench import entry, rows
from dawn.results.curve import read_curve
from dawn.tasks.classify.curve import EpochMetrics

DAY = datetime.date(2026, 1, 2)
UNTIMED = {"load": 3.0, "build": 1.0, "compile": 2.0, "monitor": 5.0, "save": 0.5}


def training(folder, **more):
    path = seed(folder, 0, [50.0, None, 94.1])
    metrics = read_json(path / "metrics.json")
    metrics |= {"seconds_untimed": UNTIMED, "seconds_by_phase": {"whiten": 0.2, "train": 29.8}, "resumed": 1}
    return read_curve(path / "curve.tsv", EpochMetrics), metrics | more


def test_loading_building_and_compiling_count_and_validation_does_not(tmp_path):
    curve, metrics = training(tmp_path)
    assert rows(curve, metrics) == [(1, f"{16 / 3600:.10f}", "50.0000"), (3, f"{36 / 3600:.10f}", "94.1000")]
    misc = entry(experiment(), metrics, DAY)["misc"]
    assert misc["secondsCounted"] == {"load": 3.0, "build": 1.0, "compile": 2.0, "whiten": 0.2, "train": 29.8}
    assert sum(misc["secondsCounted"].values()) == 36
    assert misc["secondsExcluded"] == {"monitor": 5.0, "save": 0.5}
    assert misc["interruptions"] == 1
    assert "noAccuracy" not in misc


def test_the_accuracy_of_a_hold_out_is_no_top1_accuracy(tmp_path):
    curve, metrics = training(tmp_path, monitored="holdout")
    assert rows(curve, metrics) == []
    misc = entry(experiment(data={"holdout": 16}), metrics, DAY)["misc"]
    assert "hold-out of 16 training images" in misc["noAccuracy"]


def test_the_fields_of_the_entry(tmp_path):
    metrics = training(tmp_path)[1]
    found = entry(experiment(submission={"author": "A", "cost_per_hour": 2.5}), metrics, DAY)
    assert found["version"] == "v1.0"
    assert found["timestamp"] == "2026-01-02"
    assert found["costPerHour"] == 2.5
    assert "codeURL" not in found
    assert found["framework"].startswith("PyTorch 2.")
    for model in ({"family": "wrn", "depth": 22, "width": 6}, {"family": "wrn", "blocks": 3, "width": 6}):
        assert entry(experiment(model=model), metrics, DAY)["model"] == "WRN-22-6"
