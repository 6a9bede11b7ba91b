"""The metrics over the seeds of an experiment, and what DVC plots of them."""

import csv
import json

import pytest
from seed_files import seed, summarized

from dawn.core.files import write_json, write_table
from dawn.core.reading import read_json, read_table
from dawn.results.curve import mean_curve
from dawn.tasks.classify.summarize import write


def test_the_metrics_of_three_seeds(tmp_path):
    seeds = [seed(tmp_path, n, a) for n, a in enumerate([[60.0, 94.5], [94.0, 93.0], [50.0, None, 95.0]])]
    found = summarized(seeds, {"parameters": 10, "flops": 20})
    assert found["accuracy"]["mean"] == pytest.approx((94.5 + 93 + 95) / 3)
    assert found["target"]["share"] == pytest.approx(200 / 3)
    assert found["target"]["seeds_in_training"] == 3
    assert found["target"]["seconds"]["mean"] == pytest.approx((20 + 10 + 30) / 3)
    assert found["target"]["epochs"]["mean"] == 2
    assert found["target"]["expected_seconds"]["mean"] == pytest.approx((20 + 10 + 30) / 3)
    assert found["accuracy"]["median"] == 94.5
    assert (found["seeds_at_chance"], found["seeds_apart"]) == ([], [])
    json.dumps(found, allow_nan=False)


def test_a_target_never_reached(tmp_path):
    path = seed(tmp_path, 0, [50.0, 60.0])
    found = summarized([path], {"parameters": 10, "flops": 20})
    assert found["target"]["seconds"] is None
    assert found["target"]["expected_seconds"] == {"mean": None, "low": None, "high": None}


def test_a_seed_that_failed_counts_and_is_named(tmp_path):
    """Of five seeds of 30 s, four reach the target after 20 s, and one learns nothing."""
    seeds = [seed(tmp_path, n, [60.0, 94.5 + n / 100, 95.0 + n / 100]) for n in range(4)] + [
        seed(tmp_path, 4, [50.0] * 3)
    ]
    found = summarized(seeds, {"parameters": 10, "flops": 20})
    assert (found["seeds_at_chance"], found["seeds_apart"]) == ([4], [4])
    assert found["accuracy"]["mean"] == pytest.approx(86.012)
    assert (found["accuracy"]["median"], found["accuracy"]["interquartile_mean"]) == pytest.approx((95.01, 95.01))
    assert found["target"]["seconds"]["mean"] == 20
    assert found["target"]["expected_seconds"]["mean"] == pytest.approx((4 * 20 + 30) / 4)


@pytest.fixture
def two(tmp_path):
    """Two seeds, of which one reaches 94 %."""
    return [seed(tmp_path, number, values) for number, values in enumerate(([50.0, None, 90.0], [60.0, None, 94.0]))]


def test_the_curve_is_that_of_the_mean_seed(two):
    rows = mean_curve(path / "curve.tsv" for path in two)
    assert [row["accuracy"] for row in rows] == [55.0, None, 92.0]


def test_what_dvc_plots(two, tmp_path):
    write(two, tmp_path)
    assert (tmp_path / "confusion.csv").read_text() == "actual,predicted\ncat,0\ncat,1\n"
    assert (tmp_path / "classes.csv").read_text() == "class,recall,precision\ncat,80.5,\ndog,,\n"
    assert (tmp_path / "mistakes.csv").read_text().splitlines() == [
        "path,label,prediction,probability,loss",
        "dog/1.jpg,dog,cat,0.731059,1.313262",
        "cat/2.jpg,cat,dog,0.731059,1.313262",
    ]


def test_what_dvc_plots_of_hostile_names(two, tmp_path):
    """A comma, quotes, a formula of a spreadsheet, and two lines."""
    names = ['cat, "tame"', "=1+1", "a\nb", "a\u2028b"]
    for path in two:
        evaluation = read_json(path / "evaluation.json")
        classes, confusion = dict.fromkeys(names, evaluation["classes"]["cat"]), [[25, 0, 0, 0]] * 4
        write_json(path / "evaluation.json", evaluation | {"classes": classes, "confusion": confusion})
        write_table(path / "confusion.csv", ("actual", "predicted"), zip(names, reversed(names), strict=True), ",")
    write(two, tmp_path)
    with (tmp_path / "classes.csv").open(newline="") as file:
        assert [row["class"] for row in csv.DictReader(file)] == [names[0], "'=1+1", *names[2:]]
    rows = read_table(tmp_path / "confusion.csv")
    assert [row["actual"] for row in rows] == 2 * names
    assert [row["predicted"] for row in rows] == 2 * names[::-1]


def test_dollars_are_seconds_at_a_price(two):
    found = summarized(two, {"parameters": 1, "flops": 2}, price=7.2)
    assert found["dollars"]["mean"] == pytest.approx(30 * 7.2 / 3600)
    assert found["target"]["dollars"]["mean"] == pytest.approx(30 * 7.2 / 3600)
    assert summarized(two, {"parameters": 1, "flops": 2})["dollars"] is None
