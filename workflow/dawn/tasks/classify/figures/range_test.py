"""The learning-rate range test."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from dawn.report.style import COLOURS, INK, figure, heading


def range_test(
    rates: Sequence[float], losses: Sequence[float], smoothed: Sequence[float], suggestion: Mapping[str, float | None]
) -> Figure:
    """Loss against learning rate, the suggested learning rates marked."""
    picture = figure(7, 4.4)
    axes = picture.subplots()
    axes.plot(rates, losses, color="0.7", linewidth=1, label="loss of each batch")
    axes.plot(rates, smoothed, color=COLOURS[0], linewidth=2, label="smoothed loss")
    for (name, value), style in zip(suggestion.items(), ("--", ":"), strict=True):
        if value is None:
            continue
        text = f"{name.replace('_tenth', ' point / 10')}: {value:.2g}"
        axes.axvline(value, color=INK, linestyle=style, linewidth=1.5, label=text)
    low, first = min(smoothed), smoothed[0]
    axes.set(xscale="log", xlabel="learning rate", ylabel="training loss")
    axes.set_ylim(low - 0.1 * (first - low + 0.1), first + 0.6 * (first - low + 0.1))
    picture.legend(loc="outside lower center", ncols=2, fontsize=9)
    below = f"{len(rates)} steps of one batch; each multiplies the learning rate by the same factor."
    if suggestion["steepest"] is None:
        below += " The loss never fell by more than its noise, so none is suggested."
    heading(picture, "Learning-rate range test", below)
    return picture
