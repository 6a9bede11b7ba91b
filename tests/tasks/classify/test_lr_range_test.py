"""The learning-rate range test: the rates, the stopping rule, and suggestions that seeds agree on."""

import math
from itertools import pairwise

import pytest
from conftest import experiment
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


def test_a_loss_that_only_rises_has_its_first_point_as_both():
    found = suggest(points([1.0 + 0.1 * i for i in range(20)]), SETTINGS)
    assert found["steepest"] == learning_rate(4, SETTINGS)


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


def test_six_seeds_suggest_the_same_order_of_magnitude(data, tmp_path):
    settings = experiment().lr_find
    found = [suggest(sweep(ready(data, tmp_path, seed)), settings)["steepest"] for seed in range(6)]
    assert math.log10(max(found) / min(found)) < 1, found
