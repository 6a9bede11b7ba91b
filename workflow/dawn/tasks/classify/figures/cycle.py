"""The schedule: learning rate and momentum of each step."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from dawn.report.style import COLOURS, INK, LINES, figure, heading


def cycle(rates: Sequence[float], momenta: Sequence[float], per_epoch: int, name: str) -> Figure:
    """Learning rate (above) and momentum (below) of each step; epochs on the upper edge."""
    picture = figure(7, 4.8)
    upper, lower = picture.subplots(2, 1, sharex=True)
    for i, (axes, values, label) in enumerate(((upper, rates, "learning rate"), (lower, momenta, "momentum"))):
        axes.plot(range(len(values)), values, color=COLOURS[i], linestyle=LINES[i], linewidth=2)
        axes.set_ylabel(label)
        axes.margins(x=0.01, y=0.12)
    peak = max(range(len(rates)), key=rates.__getitem__)
    upper.plot([peak], [rates[peak]], "o", color=INK)
    upper.annotate(f"{rates[peak]:.3g} at step {peak:,}", (peak, rates[peak]), xytext=(9, -1),
                   textcoords="offset points", va="center")  # fmt: skip
    upper.set_ylim(bottom=0)
    lower.set_xlabel(f"step ({per_epoch:,} per epoch)")
    epochs = upper.secondary_xaxis("top", functions=(lambda x: x / per_epoch, lambda x: x * per_epoch))
    epochs.set_xlabel("epoch")
    heading(picture, f"Learning rate and momentum: {name} schedule, {len(rates):,} steps")
    return picture
