"""Does a network that says 90 % get 90 % right?"""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from dawn.report.figures.frame import INK, SHADE, heading, many
from dawn.report.style import COLOURS, figure
from dawn.results.calibration import binned

Floats = NDArray[np.float64]
THIN = {"align": "edge", "edgecolor": "black", "linewidth": 0.6}


def reliability(seeds: Sequence[tuple[Floats, Floats]], bins: int, errors: Sequence[float]) -> Figure:
    """Share right against confidence, all seeds' images in equal bins; below, how many images are so confident.

    ``seeds`` holds (confidence, right), each (images,); ``errors`` the expected calibration error of each seed.
    """
    confidence, right = (np.concatenate([seed[i] for seed in seeds]) for i in (0, 1))
    count, said, held = binned(confidence, right, bins)
    edges, width = np.linspace(0, 100, bins + 1)[:-1], 100 / bins
    picture = figure(5.6, 6.4)
    upper, lower = picture.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    upper.bar(edges, 100 * np.nan_to_num(held), width, color=COLOURS[5], label="right", **THIN)
    upper.plot([0, 100], [0, 100], color="0.3", linestyle="--", linewidth=1.2, label="where they would be equal")
    upper.plot(100 * said, 100 * held, linestyle="", marker="o", color=INK, markersize=4,
               label="mean confidence of the bin")  # fmt: skip
    lower.bar(edges, 100 * count / count.sum(), width, color=SHADE, **THIN)
    upper.set(ylabel="of these, right, percent", xlim=(0, 100), ylim=(0, 102))
    lower.set(xlabel="confidence: the largest probability, percent", ylabel="images, percent", yscale="log")
    upper.legend(loc="upper left")
    below = f"{many(len(seeds[0][0]), 'test image')}, {many(len(seeds), 'seed')}, {many(bins, 'bin')}."
    heading(picture, f"Calibration: expected error {np.mean(errors):.4f}", below)
    return picture
