"""How the training of a GAN went: the losses of both networks, and the critic's scores of real and generated images."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from dawn.report.numbers import count
from dawn.report.style import Row, band, figure, heading


def losses(seeds: Sequence[Sequence[Row]], loss: str) -> Figure:
    """Losses (left) and mean scores (right) by epoch: the mean over the seeds, and a band from lowest to highest.

    The rows have the columns of a GAN's curve.tsv; ``loss`` is the setting gan.loss.
    """
    picture = figure(9, 4.2)
    left, right = picture.subplots(1, 2)
    for axes, names, label in (
        (left, {"critic_loss": "critic", "generator_loss": "generator"}, f"loss ({loss}), penalties included"),
        (right, {"real_score": "D(real)", "fake_score": "D(fake)"}, "mean score of the critic"),
    ):
        for i, (name, text) in enumerate(names.items()):
            band(axes, seeds, name, text, i)
        axes.axhline(0, color="0.45", linewidth=0.8)
        axes.set(xlabel="epoch", ylabel=label)
        axes.locator_params(axis="x", integer=True)
        axes.legend(fontsize=9)
    below = "Line: mean. Band: from the lowest seed to the highest." if len(seeds) > 1 else ""
    heading(picture, f"Losses and scores by epoch, {count(len(seeds), 'seed')}", below)
    return picture
