"""The learning-rate range test: the rates, the stopping rule, and suggestions that seeds agree on."""

import json
import math
from itertools import pairwise

import numpy as np
import pytest
from conftest import experiment, in_full
from training import ready

from dawn.core.cli import InputError
from dawn.lr_find import write
from dawn.tasks.classify.lr_range_test import Point, learning_rate, suggest, sweep
from dawn.tasks.classify.settings import LrFind

SETTINGS = LrFind(low=1e-4, high=1.0, steps=41)


def points(losses, settings=SETTINGS):
    return [Point(i, learning_rate(i, settings), loss, loss) for i, loss in enumerate(losses)]


def test_each_step_raises_the_learning_rate_by_the_same_factor():
    rates = [learning_rate(i, SETTINGS) for i in range(SETTINGS.steps)]
    assert (rates[0], rates[-1]) == pytest.approx((1e-4, 1.0))
    assert [b / a for a, b in pairwise(rates)] == pytest.approx([10**0.1] * 40)


def test_the_steepest_point_and_a_tenth_of_the_lowest_are_suggested():
    losses = [2.0] * 15 + [1.9, 1.6, 1.0, 0.8, 0.7, 0.6, 0.9, 2.0, 9.0, 9.0]  # the last two of 41 / 20 are left out
    found = suggest(points(losses), SETTINGS)
    assert found["steepest"] == learning_rate(16, SETTINGS)
    assert found["lowest_tenth"] == pytest.approx(learning_rate(20, SETTINGS) / 10)


def test_noise_at_the_start_is_left_out():
    losses = [3.0, 1.0, 3.0, 2.0] + [2.0] * 11 + [1.9, 1.6, 1.2, 1.1, 1.05, 9.0, 9.0, 9.0]
    assert suggest(points(losses), SETTINGS)["steepest"] == learning_rate(16, SETTINGS)


@pytest.mark.parametrize(
    "losses",
    [
        [1.0 + 0.1 * i for i in range(20)],
        [2.0] * 30,
        [3.0, 2.9, 2.6, 2.3, 2.2, 2.1] + [2.0] * 20 + [9.0] * 3,  # a transient, then nothing
        [2.0 + 0.1 * (-1) ** i for i in range(38)] + [5.0] * 3,  # noise alone
    ],
)
def test_a_loss_that_does_not_fall_has_no_suggestion(losses, tmp_path, capsys):
    assert suggest(points(losses), SETTINGS) == {"steepest": None, "lowest_tenth": None}
    write(points(losses), SETTINGS, tmp_path / "lr_find.png")
    assert json.loads((tmp_path / "lr_find.json").read_text()) == {"steepest": None, "lowest_tenth": None}
    assert "the loss never fell by more than its noise; raise lr_find.steps" in capsys.readouterr().err


def test_a_steep_transient_is_left_out_where_the_loss_falls_later():
    losses = [9.0, 8.0, 7.0, 6.0, 5.0, 3.5, 2.1] + [2.0] * 13 + [1.95, 1.8, 1.5, 1.3, 1.2, 1.2, 3.0, 9.0, 9.0]
    found = suggest(points(losses), SETTINGS)
    assert found["steepest"] == learning_rate(22, SETTINGS)
    assert found["lowest_tenth"] == pytest.approx(learning_rate(24, SETTINGS) / 10)


def smoothed(losses, settings):
    """The points of a sweep with these losses: the average is exponential, corrected for its start at zero."""
    average, found = 0.0, []
    for step, loss in enumerate(losses):
        average = settings.smooth * average + (1 - settings.smooth) * loss
        found.append(Point(step, learning_rate(step, settings), loss, average / (1 - settings.smooth ** (step + 1))))
    return found


def test_noise_seldom_has_a_suggestion_and_a_descent_always():
    settings, rng = LrFind(), np.random.default_rng(0)
    noise = [suggest(smoothed(rng.normal(2.5, 0.1, 100).tolist(), settings), settings)["steepest"] for _ in range(300)]
    assert sum(found is not None for found in noise) < 15
    rates = np.array([learning_rate(i, settings) for i in range(100)])
    descent = 2.5 - 0.6 / (1 + (0.1 / rates) ** 2)  # half of it at 0.1
    suggested = [
        suggest(smoothed((descent + rng.normal(0, 0.1, 100)).tolist(), settings), settings)["steepest"]
        for _ in range(300)
    ]
    assert all(0.02 < found < 4 for found in suggested)


def test_the_loss_must_not_diverge_before_there_is_something_to_see(tmp_path):
    with pytest.raises(InputError, match=r"diverged after 8 of 41 steps; lower lr_find.low \(0.0001\)"):
        write(points([1.0] * 8), SETTINGS, tmp_path / "lr_find.png")
    write(points([1.0] * 9), SETTINGS, tmp_path / "lr_find.png")
    assert (tmp_path / "lr_find.tsv").read_text().splitlines()[0] == "step\tlr\tloss\tsmoothed"


def test_it_stops_where_the_smoothed_loss_passes_a_multiple_of_its_minimum(data, tmp_path):
    trainer = ready(data, tmp_path, lr_find={"high": 1e4, "stop": 1.5})
    found = sweep(trainer)
    assert len(found) < 100
    passed = [point.smoothed > 1.5 * min(p.smoothed for p in found[: i + 1]) for i, point in enumerate(found)]
    assert passed == [False] * (len(found) - 1) + [True]
    again = sweep(ready(data, tmp_path, lr_find={"high": 1e4, "stop": 1.5}))
    assert found == again


@pytest.mark.parametrize("seeds", [3, *in_full(6)])
def test_seeds_suggest_the_same_order_of_magnitude(data, tmp_path, seeds):
    settings = experiment().lr_find
    found = [suggest(sweep(ready(data, tmp_path, seed)), settings)["steepest"] for seed in range(seeds)]
    assert math.log10(max(found) / min(found)) < 1, found
