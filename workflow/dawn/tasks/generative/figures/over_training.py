"""A measure of few samples at each kept epoch, against the time of the training."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from dawn.report.numbers import count
from dawn.report.style import COLOURS, TARGET, figure, heading

Points = Sequence[tuple[float, float, Mapping[str, Any]]]  # epoch, seconds, entry with value, low and high


def over_training(seeds: Sequence[Points], samples: int, references: Mapping[str, float]) -> Figure:
    """KID-judge by seconds of training (left) and by epoch (right), a line a seed, with intervals over the images."""
    picture = figure(9, 4.2)
    places = picture.subplots(1, 2, sharey=True)
    for axes, which, label in zip(places, (1, 0), ("seconds of training", "epoch"), strict=True):
        for number, points in enumerate(seeds):
            x, values = [point[which] for point in points], [point[2]["value"] for point in points]
            name = None if number else "samples, one line per seed"
            axes.plot(x, values, color=COLOURS[0], marker="o", markersize=3, linewidth=1.2, alpha=0.7, label=name)
            low, high = ([point[2][end] for point in points] for end in ("low", "high"))
            axes.fill_between(x, low, high, color=COLOURS[0], alpha=0.12, linewidth=0)
        for i, (name, value) in enumerate(references.items(), 1):
            axes.axhline(value, **{**TARGET, "color": COLOURS[i]}, label=name)
        axes.set_xlabel(label)
    places[1].locator_params(axis="x", integer=True)
    values = [point[2][end] for points in seeds for point in points for end in ("value", "high")]
    linear = 10 ** math.floor(math.log10(max(*values, 1e-9) / 100))
    places[0].set_yscale("symlog", linthresh=linear)
    places[0].set_ylim(-linear, 2 * max(*values, *references.values()))
    places[0].set_ylabel("KID-judge, lower is better")
    picture.legend(*places[0].get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=8)
    below = f"{samples} samples at each point, so uncertain. Bands: 95 % intervals over the images."
    heading(picture, f"KID-judge along the training, {count(len(seeds), 'seed')}", below)
    return picture
