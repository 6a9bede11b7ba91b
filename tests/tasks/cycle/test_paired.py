"""PSNR and SSIM against their formulas, computed in another way."""

import math

import numpy as np
import pytest

from dawn.measures.paired import decibels, psnr, squared_errors, ssim


def images(seed, n=3, size=16):
    return np.random.default_rng(seed).integers(0, 256, (n, size, size, 3), dtype=np.uint8)


def test_psnr_of_known_errors():
    dark = np.zeros((2, 8, 8, 3), np.uint8)
    assert psnr(dark + np.uint8(255), dark) == 0
    assert psnr(dark + np.uint8(51), dark) == pytest.approx(20 * math.log10(5))
    mixed = dark.copy()
    mixed[0] += 10  # one image of two: the mean of the squared errors is 50
    assert squared_errors(mixed, dark).tolist() == [100, 0]
    assert psnr(mixed, dark) == pytest.approx(10 * math.log10(255**2 / 50))
    assert psnr(dark, dark) == decibels(1 / 12) == pytest.approx(58.92, abs=0.01)


def naive(image, other):
    """SSIM by its definition, a place of the window at a time."""
    offsets = np.arange(-5, 6)
    window = np.exp(-(offsets[:, None] ** 2 + offsets[None] ** 2) / (2 * 1.5**2))
    window /= window.sum()
    values = []
    for channel in range(3):
        x, y = (z[..., channel].astype(float) for z in (image, other))
        for row in range(5, len(x) - 5):
            for column in range(5, len(x) - 5):
                a, b = (z[row - 5 : row + 6, column - 5 : column + 6] for z in (x, y))
                mean_a, mean_b = (window * a).sum(), (window * b).sum()
                var_a, var_b = (window * (a - mean_a) ** 2).sum(), (window * (b - mean_b) ** 2).sum()
                cov = (window * (a - mean_a) * (b - mean_b)).sum()
                luminance = (2 * mean_a * mean_b + 6.5025) / (mean_a**2 + mean_b**2 + 6.5025)
                values.append(luminance * (2 * cov + 58.5225) / (var_a + var_b + 58.5225))
    return np.mean(values)


def test_ssim_is_the_published_formula():
    one, other = images(0), images(1)
    noise = np.random.default_rng(2).integers(-20, 21, one.shape)
    near = (one.astype(int) + noise).clip(0, 255).astype(np.uint8)
    for pair in ((one, other), (one, near)):
        expected = np.mean([naive(a, b) for a, b in zip(*pair, strict=True)])
        assert ssim(*pair).value == pytest.approx(expected, abs=1e-9)
    assert ssim(one, near).value > 0.8 > ssim(one, other).value
    assert ssim(one, one).value == pytest.approx(1)


def test_the_interval_of_ssim_is_over_the_images():
    found = ssim(images(0, 20), images(1, 20))
    low, high = found.interval()
    assert low < found.value < high
    assert found.n == 20
