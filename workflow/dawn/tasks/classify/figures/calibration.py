"""Calibration: is a network as often right as it is confident?"""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from dawn.report.numbers import count
from dawn.report.style import COLOURS, INK, SHADE, figure, heading
from dawn.tasks.classify.calibration import binned

Floats = NDArray[np.float64]
THIN = {"align": "edge", "edgecolor": "black", "linewidth": 0.6}


def reliability(
    seeds: Sequence[tuple[Floats, Floats]], bins: int, errors: Sequence[float], by_chance: Sequence[float]
) -> Figure:
    """Accuracy against confidence, all seeds' images in equal bins; below, how many images have that confidence.

    ``seeds`` holds (confidence, right), each (images,); ``errors`` the expected calibration error of each seed, and
    ``by_chance`` that of a perfectly calibrated network.
    """
    confidence, right = (np.concatenate([seed[i] for seed in seeds]) for i in (0, 1))
    images, mean, accuracy = binned(confidence, right, bins)
    edges, width = np.linspace(0, 100, bins + 1)[:-1], 100 / bins
    picture = figure(5.6, 6.4)
    upper, lower = picture.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    upper.bar(edges, 100 * np.nan_to_num(accuracy), width, color=COLOURS[5], label="accuracy in the bin", **THIN)
    upper.plot([0, 100], [0, 100], color="0.3", linestyle="--", linewidth=1.2, label="perfect calibration")
    upper.plot(100 * mean, 100 * accuracy, linestyle="", marker="o", color=INK, markersize=4,
               label="at the bin's mean confidence")  # fmt: skip
    lower.bar(edges, 100 * images / images.sum(), width, color=SHADE, **THIN)
    upper.set(ylabel="accuracy, percent", xlim=(0, 100), ylim=(0, 102))
    lower.set(xlabel="confidence (largest probability), percent", ylabel="images, percent", yscale="log")
    upper.legend(loc="upper left")
    below = f"{count(len(seeds[0][0]), 'test image')}, {count(len(seeds), 'seed')}, {count(bins, 'bin')}. "
    below += f"Perfect calibration: {np.mean(by_chance):.4f} by chance."
    heading(picture, f"Expected calibration error {np.mean(errors):.4f}", below)
    return picture
