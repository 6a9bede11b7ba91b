"""Spectra of samples and of real images: some ways of upsampling leave peaks at periods of 2 and 4 pixels."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from dawn.report.numbers import count
from dawn.report.style import COLOURS, figure, heading, line

Decibels = NDArray[np.floating[Any]]
MARKED = (0.25, 0.5)  # cycles/pixel: the periods of 4 and 2 pixels
EDGE: dict[str, Any] = {"color": "0.45", "linewidth": 0.8, "linestyle": (0, (3, 3))}
BLOCK = 500  # images at once


def log_power(images: NDArray[np.uint8]) -> Decibels:
    """Mean over images (n, h, w, 3) and channels of the power at each frequency in dB, (h, w), frequency 0 first.

    A power of 1, that of a single grey level, is added, so that a flat image has a logarithm.
    """
    total = np.zeros(images.shape[1:3])
    for first in range(0, len(images), BLOCK):
        waves = np.fft.fft2(images[first : first + BLOCK].astype(np.float32), axes=(1, 2))
        total += np.log10(waves.real**2 + waves.imag**2 + 1).mean(3).sum(0)
    return 10 * total / len(images)


def spectrum(maps: tuple[Decibels, Decibels], profiles: Mapping[str, tuple[Decibels, Decibels]], title: str) -> Figure:
    """Above, the mean log power of real images and of samples as maps (h, w), and their difference, in dB.

    Below, the power along each direction by frequency from 0 to a half, ``profiles[direction]``, in dB: of real images
    (bins,), and of each seed's samples (seeds, bins).
    """
    picture, (real, samples) = figure(9, 5.9), maps
    upper, lower = picture.subfigures(2, 1, squeeze=False, height_ratios=(1, 1.1))[:, 0]
    three, two = upper.subplots(1, 3), lower.subplots(1, 2, sharey=True)
    low, high = np.percentile([real, samples], [0.5, 99.8])
    for axes, values, name in zip(three, maps, ("real images", "samples"), strict=False):
        image = draw(axes, values, name, cmap="gray", vmin=low, vmax=high)
    upper.colorbar(image, ax=list(three[:2]), shrink=0.9, label="dB")
    largest = max(float(np.abs(samples - real).max()), 1e-9)
    image = draw(three[2], samples - real, "samples - real", cmap="RdBu_r", vmin=-largest, vmax=largest)
    upper.colorbar(image, ax=three[2], shrink=0.9, label="dB")
    for axes, (name, powers) in zip(two, profiles.items(), strict=True):
        profile(axes, *powers, name)
    two[0].set_ylabel("power, dB")
    two[0].legend(fontsize=9)
    seeds = len(next(iter(profiles.values()))[1])
    heading(picture, title, f"Dashed: periods of 4 and 2 pixels. Samples of {count(seeds, 'seed')}.")
    return picture


def draw(axes: Axes, values: Decibels, name: str, **colours: Any) -> Any:
    """One spectrum with frequency 0 in its centre, and the marked frequencies."""
    image = axes.imshow(np.fft.fftshift(values), extent=(-0.5, 0.5, 0.5, -0.5), interpolation="nearest", **colours)
    axes.set_title(name, fontsize=10)
    axes.set_xticks([-0.5, -0.25, 0, 0.25, 0.5])
    axes.set_yticks([-0.5, -0.25, 0, 0.25, 0.5])
    axes.tick_params(labelsize=8)
    axes.grid(False)
    for at in (-0.25, 0.25):
        axes.axvline(at, **EDGE)
        axes.axhline(at, **EDGE)
    return image


def profile(axes: Axes, real: Decibels, samples: Decibels, name: str) -> None:
    """Power by frequency of real images (bins,), and of samples (seeds, bins): their mean, and a band of all seeds."""
    frequencies = np.linspace(0, 0.5, len(real))
    style = {"markevery": max(1, len(real) // 8), "markersize": 4}
    axes.plot(frequencies, real, **{**line(0), **style}, label="real images")
    axes.plot(frequencies, samples.mean(0), **{**line(1), **style}, label="samples")
    if len(samples) > 1:
        axes.fill_between(frequencies, samples.min(0), samples.max(0), color=COLOURS[1], alpha=0.25, linewidth=0)
    for at in MARKED:
        axes.axvline(at, **EDGE)
    axes.set(xlabel=f"{name} frequency, cycles/pixel", xlim=(0, 0.505), xticks=[0, 0.1, 0.2, 0.25, 0.3, 0.4, 0.5])
