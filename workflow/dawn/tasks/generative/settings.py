"""The sections ``judge`` and ``measures``: how the samples of a GAN and the translations of a CycleGAN are measured."""

from typing import Annotated

from pydantic import Field

from dawn.config.task import Stage
from dawn.config.types import Positive, Seeds, Settings

REFERENCES = Stage(
    name="references",
    description="Measure reference images with the judges",
    target="results/references/references.json",
    rules=("references",),
    params=("judge.seeds", "measures.neighbours"),
    commands=("tasks.generative.references",),
    outputs=("results/references",),
)


class Judge(Settings):
    """The classifiers that measure the samples of a GAN, or the translations of a CycleGAN between classes; trained
    once, for all variants of a study."""

    preset: Annotated[str, Field(pattern="^[A-Za-z0-9_-]+$")] | None = "judge"
    """Preset of workflow/presets that they are trained with, on all classes of the data; null: none, which only a
    CycleGAN can do without."""
    seeds: Seeds = (0, 1, 2)
    """A judge for each; a single number n is short for 0 to n - 1."""


class Measures(Settings):
    """What is measured of the samples of a GAN; a change never trains again."""

    truncation: Positive | None = None
    """Latent components beyond this absolute value are drawn again; null: none."""
    neighbours: Annotated[int, Field(ge=1, le=1000)] = 5
    """Neighbours that span the manifold of precision, recall, density and coverage."""
    cas: bool = False
    """Train the judge's network on the samples of a conditional generator and test it on real images."""
