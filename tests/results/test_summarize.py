"""What is said over the seeds, and what a DAWNBench entry says."""

import datetime
import json

import pytest
from conftest import experiment
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from seed_files import seed

from dawn.dawnbench import entry, rows
from dawn.results.statistics import share, spread
from dawn.summarize import curves, plots, reached, summarize


@given(st.lists(st.floats(0, 100), min_size=2, max_size=30).filter(lambda v: max(v) - min(v) > 1e-3))
def test_the_interval_is_students(values):
    found = spread(values)
    low, high = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert (found["low"], found["high"]) == pytest.approx((low, high), abs=1e-6)


def test_one_seed_has_no_interval():
    assert spread([93.0]) == {"mean": 93.0, "std": None, "low": None, "high": None}


def test_a_share_has_wilsons_interval():
    # Newcombe 1998: 81 of 263 is 0.2553 to 0.3662; 0 of 20 is 0 to 0.1611.
    found = share(81, 263)
    assert (found["low"], found["high"]) == pytest.approx((25.53, 36.62), abs=0.005)
    assert share(0, 20)["high"] == pytest.approx(16.11, abs=0.005)


def test_the_metrics_of_three_seeds(tmp_path):
    seeds = [seed(tmp_path, n, a) for n, a in enumerate([[60.0, 94.5], [94.0, 93.0], [50.0, None, 95.0]])]
    found = summarize(seeds, 94.0, {"parameters": 10, "flops": 20})
    assert found["accuracy"]["mean"] == pytest.approx((94.5 + 93 + 95) / 3)
    assert found["target"]["share"] == pytest.approx(200 / 3)
    assert found["target"]["seeds_in_training"] == 3
    assert found["target"]["seconds"]["mean"] == pytest.approx((20 + 10 + 30) / 3)
    assert found["target"]["epochs"]["mean"] == 2
    json.dumps(found, allow_nan=False)


def test_a_target_never_reached(tmp_path):
    path = seed(tmp_path, 0, [50.0, 60.0])
    assert reached(path / "curve.tsv", 94.0) is None
    found = summarize([path], 94.0, {"parameters": 10, "flops": 20})
    assert found["target"]["seconds"] is None


def test_a_dawnbench_entry(tmp_path):
    path = seed(tmp_path, 0, [50.0, 94.1])
    metrics = json.loads((path / "metrics.json").read_text())
    assert rows(path / "curve.tsv", metrics) == [
        (1, f"{14 / 3600:.10f}", "50.0000"),
        (2, f"{24 / 3600:.10f}", "94.1000"),
    ]
    found = entry(experiment(submission={"author": "A", "cost_per_hour": 2.5}), metrics, datetime.date(2026, 1, 2))
    assert found["version"] == "v1.0"
    assert found["timestamp"] == "2026-01-02"
    assert found["costPerHour"] == 2.5
    assert "codeURL" not in found
    assert found["framework"].startswith("PyTorch 2.")


@pytest.fixture
def two(tmp_path):
    """Two seeds, of which one reaches 94 %."""
    return [seed(tmp_path, number, values) for number, values in enumerate(([50.0, None, 90.0], [60.0, None, 94.0]))]


def test_the_curve_is_that_of_the_mean_seed(two):
    assert [row["accuracy"] for row in curves(two)] == [55.0, None, 92.0]


def test_what_dvc_plots(two, tmp_path):
    plots(two, tmp_path)
    assert (tmp_path / "confusion.csv").read_text() == "actual,predicted\ncat,0\ncat,1\n"
    assert (tmp_path / "classes.csv").read_text() == "class,recall,precision\ncat,80.5,\ndog,,\n"


def test_dollars_are_seconds_at_a_price(two):
    found = summarize(two, 94.0, {"parameters": 1, "flops": 2}, price=7.2)
    assert found["dollars"]["mean"] == pytest.approx(30 * 7.2 / 3600)
    assert found["target"]["dollars"]["mean"] == pytest.approx(30 * 7.2 / 3600)
    assert summarize(two, 94.0, {"parameters": 1, "flops": 2})["dollars"] is None
