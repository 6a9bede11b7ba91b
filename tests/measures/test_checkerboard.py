"""Periods of 2 and 4 pixels are found, in decibels and in their axis."""

import numpy as np
import pytest

from dawn.measures.checkerboard import checkerboard

NOISE = 15.0


def images(rng, n=60, size=32, period=None, axis="x", amplitude=0.0):
    wave = amplitude * np.cos(2 * np.pi * np.arange(size) / (period or 1)) if period else np.zeros(size)
    wave = wave[None, :] if axis == "x" else wave[:, None]
    noise = NOISE * rng.standard_normal((n, size, size, 3))
    return np.rint(128 + wave[None, ..., None] + noise).astype(np.uint8)


@pytest.mark.parametrize("axis", ["x", "y"])
@pytest.mark.parametrize("period", [2, 4])
def test_a_sinusoid_has_its_decibels(period, axis):
    rng, amplitude, size = np.random.default_rng(period), 20.0, 32
    found = checkerboard(images(rng, period=period, axis=axis, amplitude=amplitude), images(rng))
    # A line's power at its frequency is (N A)^2 for the period 2, a fourth of it for others; that of noise N var.
    signal = amplitude**2 * size / (NOISE**2 + 1 / 12) / (1 if period == 2 else 4)
    expected = 10 * np.log10(1 + signal)
    for name in ("x2", "x4", "y2", "y4"):
        assert found[name]["value"] == pytest.approx(expected if name == f"{axis}{period}" else 0, abs=0.4)
        assert found[name]["low"] <= found[name]["value"] <= found[name]["high"]
    assert found[f"{axis}{period}"]["low"] > 5
    assert found["mean"]["value"] == pytest.approx(expected / 4, abs=0.2)


def test_what_real_images_have_is_no_artifact():
    rng = np.random.default_rng(0)
    striped = images(rng, period=2, amplitude=20.0), images(rng, period=2, amplitude=20.0)
    assert checkerboard(*striped)["x2"]["value"] == pytest.approx(0, abs=0.3)


def test_the_same_seed_gives_the_same_interval():
    rng = np.random.default_rng(0)
    both = images(rng, 20), images(rng, 20)
    assert checkerboard(*both) == checkerboard(*both)
    assert checkerboard(*both) != checkerboard(*both, seed=1)


def test_constant_images_are_no_error():
    found = checkerboard(np.full((5, 16, 16, 3), 7, np.uint8), np.full((4, 16, 16, 3), 9, np.uint8))
    assert found["mean"]["value"] == 0
    assert found["distance"] == {"value": 0, "low": 0, "high": 0, "n": 5}


def enlarged(images, times):
    return images[:, ::times, ::times].repeat(times, 1).repeat(times, 2)


def test_blocks_of_equal_pixels_are_far_below_real_images_but_bounded():
    rng = np.random.default_rng(1)
    real = images(rng)
    found = checkerboard(enlarged(real, 2), real)
    # The period of 2 is absent, so only rounding is left, N / 12. Around it pairs of equal pixels, each pair with noise
    # of its own, have the power 2 N var cos^2(pi f / N); the median of the frequencies f = 13, 14, 15 of 32 is at 14.
    around = 2 * NOISE**2 * np.cos(np.pi * 14 / 32) ** 2
    for name in ("x2", "y2"):
        assert found[name]["value"] == pytest.approx(10 * np.log10(1 / 12 / around), abs=1)
    assert found["distance"]["value"] > 15
    assert found["distance"]["low"] > 15
    assert found["distance"]["value"] > checkerboard(images(rng), real)["distance"]["value"] + 15
    assert abs(checkerboard(enlarged(real, 4), real)["mean"]["value"]) < 60


def test_weak_waves_are_rounding_and_strong_ones_of_either_sign_are_far_from_zero():
    rng = np.random.default_rng(2)
    flat, real = np.full((40, 32, 32, 3), 128, np.uint8), images(rng)
    assert checkerboard(flat, flat)["distance"]["value"] == 0
    wavy = images(rng, period=2, amplitude=20.0)
    one_way, other_way = checkerboard(wavy, real), checkerboard(real, wavy)
    assert one_way["x2"]["value"] == pytest.approx(-other_way["x2"]["value"])
    assert one_way["distance"]["value"] == pytest.approx(other_way["distance"]["value"])
    assert one_way["distance"]["low"] > 5


def test_the_distance_is_the_root_mean_square_of_axes_and_periods():
    rng = np.random.default_rng(3)
    found = checkerboard(images(rng, period=4, amplitude=9.0), images(rng))
    four = [found[name]["value"] for name in ("x2", "x4", "y2", "y4")]
    assert found["distance"]["value"] == pytest.approx(np.sqrt(np.mean(np.square(four))))
    assert found["distance"]["low"] > 0
    same = checkerboard(images(rng), images(rng))["distance"]
    assert same["low"] == 0 < same["value"] < same["high"]


def test_a_size_without_these_periods_is_refused():
    with pytest.raises(ValueError, match="18 pixels"):
        checkerboard(np.zeros((2, 18, 18, 3), np.uint8), np.zeros((2, 18, 18, 3), np.uint8))
