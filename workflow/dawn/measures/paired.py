"""How far images are from the true ones: PSNR and SSIM of pairs."""

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from dawn.measures.estimate import Estimate, mean

Pixels = NDArray[np.uint8]
ROUNDING = 1 / 12  # mean squared error of rounding to whole levels: an error below it cannot be distinguished from none
SIGMA, RADIUS = 1.5, 5  # of SSIM's window, in pixels


def squared_errors(images: Pixels, truth: Pixels) -> NDArray[np.float64]:
    """Return the mean squared error (n,) of each image uint8 (n, h, w, 3), in squared levels of 256."""
    return np.asarray([np.mean((a.astype(np.float64) - b) ** 2) for a, b in zip(images, truth, strict=True)])


def psnr(images: Pixels, truth: Pixels) -> float:
    """The peak signal-to-noise ratio in dB, 10 log10(255^2 / mean squared error over all images), at most 58.9."""
    return decibels(float(squared_errors(images, truth).mean()))


def decibels(error: float) -> float:
    """Return the PSNR in dB of a mean squared error."""
    return 10 * math.log10(255**2 / max(error, ROUNDING))


def psnr_estimate(images: Pixels, truth: Pixels) -> Estimate:
    """Return the same with its interval over images, by the delta method."""
    errors = squared_errors(images, truth)
    total = mean(errors)
    slope = -10 / (math.log(10) * max(total.value, ROUNDING))
    return replace(total, value=decibels(total.value), parts=(slope * total.parts[0],))


def ssim(images: Pixels, truth: Pixels) -> Estimate:
    """Return the structural similarity, the mean over images uint8 (n, h, w, 3), channels and places of the window.

    Wang et al., IEEE Transactions on Image Processing 13, 2004: a Gaussian window of 11 x 11 pixels with standard
    deviation 1.5, K1 = 0.01, K2 = 0.03, at the places where the window is inside the image.
    """
    return mean(np.asarray([similarity(a, b).mean() for a, b in zip(images, truth, strict=True)]))


def similarity(image: Pixels, other: Pixels) -> NDArray[np.float64]:
    """Return the similarity of two images (h, w, 3) at each place of the window, (h - 10, w - 10, 3)."""
    x, y = image.astype(np.float64), other.astype(np.float64)
    mean_x, mean_y = smooth(x), smooth(y)
    variances = smooth(x * x) - mean_x**2 + smooth(y * y) - mean_y**2
    covariance = smooth(x * y) - mean_x * mean_y
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    return np.asarray(luminance * (2 * covariance + c2) / (variances + c2))


def smooth(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean by the Gaussian window, where it is inside (h, w, c)."""
    for axis in (0, 1):
        x = ndimage.gaussian_filter1d(x, SIGMA, axis, radius=RADIUS)
    return np.asarray(x[RADIUS:-RADIUS, RADIUS:-RADIUS])
