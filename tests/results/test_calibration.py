"""Calibration errors against their definitions and against a simulation of networks whose calibration is known."""

import numpy as np
import pytest

from dawn.tasks.classify.calibration import binned, error_if_calibrated, expected_error

RNG = np.random.default_rng(3)


def test_the_expected_error_is_its_definition():
    confidence, right = RNG.uniform(0.1, 1, 400), RNG.integers(0, 2, 400)
    error = 0.0
    for k in range(15):
        held = (confidence >= k / 15) & (confidence < (k + 1) / 15)
        if held.any():
            error += held.mean() * abs(confidence[held].mean() - right[held].mean())
    assert expected_error(confidence, right, 15) == pytest.approx(error, abs=1e-9)
    count, mean, accuracy = binned(confidence, right, 15)
    assert error == pytest.approx(np.nansum(count / 400 * np.abs(mean - accuracy)))


def test_certainty_is_calibrated_where_it_is_right():
    assert expected_error(np.ones(10), np.ones(10), 15) == 0
    assert expected_error(np.ones(10), np.zeros(10), 15) == 1
    assert error_if_calibrated(np.ones(10), 15) == 0


@pytest.mark.parametrize("images", [500, 10_000])
def test_chance_alone_gives_the_error_of_a_calibrated_network(images):
    """Labels drawn with the very probabilities of the confidences: the true error is 0, the measured one is not."""
    confidence = np.clip(1 - RNG.exponential(0.15, images), 0.1, 1)
    measured = [expected_error(confidence, RNG.random(images) < confidence, 15) for _ in range(300)]
    assert np.mean(measured) > 0.1 / np.sqrt(images)
    assert error_if_calibrated(confidence, 15) == pytest.approx(np.mean(measured), rel=0.08)
