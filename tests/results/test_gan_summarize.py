"""The metrics of a GAN over its seeds: mean, spread and interval of every measure."""

import statistics
import sys

import pytest
from conftest import experiment
from gan_files import run
from scipy import stats

from dawn import summarize
from dawn.core.cli import InputError
from dawn.core.files import write_json
from dawn.core.reading import read_json
from dawn.results.curve import mean_curve

MODEL = {name: {"parameters": 7, "flops": 70} for name in ("generator", "critic")} | {"parameters": 14, "flops": 140}


@pytest.fixture
def seeds(tmp_path):
    return run(tmp_path, 3)


def test_every_measure_has_its_mean_and_interval_over_seeds(seeds):
    metrics = summarize.summarize(experiment(task="gan", seeds=3, submission={"cost_per_hour": 3600}), seeds, MODEL)
    measures = [read_json(seed / "evaluation.json")["measures"] for seed in seeds]
    assert set(measures[0]) <= set(metrics)
    for name in ("kid", "c_t", "checkerboard"):
        values = [each[name]["value"] for each in measures]
        mean, half = statistics.fmean(values), stats.t.ppf(0.975, 2) * statistics.stdev(values) / 3**0.5
        assert metrics[name]["mean"] == pytest.approx(mean)
        assert (metrics[name]["low"], metrics[name]["high"]) == pytest.approx((mean - half, mean + half))
    for name in ("fd", "precision", "recall", "coverage"):
        entry = metrics[name]
        assert entry["low"] is None or 0 <= entry["low"] <= entry["mean"] <= entry["high"]
    assert metrics["seconds"]["mean"] == 16
    assert metrics["dollars"]["mean"] == 16
    assert (metrics["seeds"], metrics["generator_parameters"], metrics["critic_flops"]) == (3, 7, 70)


def test_curves_are_means_over_the_seeds(seeds):
    curve = mean_curve(seed / "curve.tsv" for seed in seeds)
    assert [row["epoch"] for row in curve] == [1, 2]
    assert curve[0].keys() >= {"critic_loss", "generator_loss", "real_score", "fake_score"}


def test_seeds_of_another_experiment_are_refused(seeds, tmp_path, monkeypatch):
    params, model = tmp_path / "params.yaml", tmp_path / "model.json"
    params.write_text(experiment(task="gan", gan={"epochs": 77}).model_dump_json())
    write_json(model, MODEL)
    line = ["summarize", *seeds, "--params", params, "--model", model, "--out", tmp_path / "m.json"]
    monkeypatch.setattr(sys, "argv", [str(word) for word in [*line, "--plots", tmp_path]])
    with pytest.raises(InputError, match="made with another gan section"):
        summarize.main()
    assert not (tmp_path / "m.json").exists()
