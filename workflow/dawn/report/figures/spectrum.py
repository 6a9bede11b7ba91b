"""Spectra of samples and of real images: upsampling leaves peaks at a half and a quarter of the sampling frequency."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from dawn.report.figures.frame import heading
from dawn.report.numbers import count
from dawn.report.style import COLOURS, figure, line

Decibels = NDArray[np.floating[Any]]  # (h, w) in the order of numpy.fft.fft2
MARKED = (0.25, 0.5)  # cycles/pixel: N/4 and N/2
EDGE: dict[str, Any] = {"color": "0.45", "linewidth": 0.8, "linestyle": (0, (3, 3))}


def spectrum(real: Decibels, samples: NDArray[np.floating[Any]], title: str) -> Figure:
    """Mean log power of real images (h, w) and of each seed's samples (seeds, h, w), in dB.

    Above, as images: real, samples (mean over the seeds), and their difference. Below, along one direction: the mean
    over the frequencies of the other.
    """
    picture, mean = figure(9, 5.9), samples.mean(0)
    upper, lower = picture.subfigures(2, 1, squeeze=False, height_ratios=(1, 1.1))[:, 0]
    maps, profiles = upper.subplots(1, 3), lower.subplots(1, 2, sharey=True)
    low, high = np.percentile([real, mean], [0.5, 99.8])
    for axes, values, name in zip(maps, (real, mean), ("real images", "samples"), strict=False):
        image = draw(axes, values, name, cmap="gray", vmin=low, vmax=high)
    upper.colorbar(image, ax=list(maps[:2]), shrink=0.9, label="dB")
    largest = float(np.abs(mean - real).max())
    image = draw(maps[2], mean - real, "samples - real", cmap="RdBu_r", vmin=-largest, vmax=largest)
    upper.colorbar(image, ax=maps[2], shrink=0.9, label="dB")
    for axes, axis, name in zip(profiles, (0, 1), ("horizontal", "vertical"), strict=True):
        profile(axes, [real.mean(axis), samples.mean(1 + axis)], name)
    profiles[0].set_ylabel("mean log power, dB")
    profiles[0].legend(fontsize=9)
    below = f"Dashed: a quarter and a half cycle per pixel. Samples of {count(len(samples), 'seed')}."
    heading(picture, title, below)
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


def profile(axes: Axes, powers: list[Decibels], name: str) -> None:
    """Power by frequency from 0 to a half: of real images (n,), and of samples (seeds, n) with a band of all seeds."""
    n = powers[0].shape[-1]
    frequencies, (real, samples) = np.arange(n // 2 + 1) / n, (power[..., : n // 2 + 1] for power in powers)
    style = {"markevery": 2, "markersize": 4}
    axes.plot(frequencies, real, **{**line(0), **style}, label="real images")
    axes.plot(frequencies, samples.mean(0), **{**line(1), **style}, label="samples")
    if len(samples) > 1:
        axes.fill_between(frequencies, samples.min(0), samples.max(0), color=COLOURS[1], alpha=0.25, linewidth=0)
    for at in MARKED:
        axes.axvline(at, **EDGE)
    axes.set(xlabel=f"{name} frequency, cycles/pixel", xlim=(0, 0.505), xticks=[0, 0.1, 0.2, 0.25, 0.3, 0.4, 0.5])
