"""Speed of a network by batch size, and its fraction of what the device can do."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from dawn.report.style import figure, line


def timing(rows: Sequence[Mapping[str, Any]]) -> Figure:
    """Images/s with quartiles, and percent of the measured peak, against the batch size; rows are dawn.timing's."""
    picture = figure(9, 4)
    left, right = picture.subplots(1, 2)
    for i, (work, precision) in enumerate(dict.fromkeys((row["work"], row["precision"]) for row in rows)):
        series = [row for row in rows if (row["work"], row["precision"]) == (work, precision)]
        series.sort(key=lambda row: row["batch"])
        sizes, speeds = [row["batch"] for row in series], [row["images_per_s"] for row in series]
        below = [speed - row["batch"] / row["high"] for speed, row in zip(speeds, series, strict=True)]
        above = [row["batch"] / row["low"] - speed for speed, row in zip(speeds, series, strict=True)]
        label = f"{work.replace('_', ' + ')}, {precision}"
        left.errorbar(sizes, speeds, [below, above], capsize=2, label=label, **line(i))
        right.plot(sizes, [100 * row["share_of_peak"] for row in series], **line(i))
    left.set(ylabel="images/s", title="Speed, median and quartiles")
    right.set(ylabel="% of the measured peak", title="Use of the device")
    sizes = sorted({row["batch"] for row in rows})
    for axes in (left, right):
        axes.set(xscale="log", xlabel="batch", xlim=(sizes[0] / 1.4, sizes[-1] * 1.4), ylim=(0, None))
        axes.set_xticks(sizes, [str(size) for size in sizes])
        axes.minorticks_off()
    picture.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=8)
    return picture
