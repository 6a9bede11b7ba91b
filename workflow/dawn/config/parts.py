"""The sections inside ``train``."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, NonNegativeFloat, NonNegativeInt, model_validator

from dawn.config.types import STRICT, Below1, Fraction, Positive


class Schedule(BaseModel):
    """Learning rate and momentum of each step; the formulas are in dawn/training/schedule.py."""

    model_config = STRICT

    kind: Literal["one_cycle", "cosine", "linear", "step"] = "one_cycle"
    """Shape of the schedule."""
    peak: Positive
    """Largest learning rate."""
    div: Annotated[float, Field(ge=1)] = 20.0
    """one_cycle and warm-up: the peak over the first learning rate."""
    warmup: Below1 = 0.0
    """cosine, linear: fraction of the training in which the learning rate rises to the peak."""
    pct: Annotated[float, Field(ge=0, le=100)] = 20.0
    """one_cycle: percent of the training that anneals."""
    momentum: tuple[Below1, Below1] = (0.95, 0.85)
    """High and low momentum; only one_cycle uses the low one, at the step before the peak, as fastai 0.7 did."""
    final: Fraction = 0.0
    """cosine, linear: the last learning rate over the peak."""
    milestones: tuple[Fraction, ...] = ()
    """step: fractions of the training at which the learning rate falls."""
    factor: Fraction = 0.2
    """step: factor of the learning rate at each milestone."""

    @model_validator(mode="after")
    def _check(self) -> "Schedule":
        if list(self.milestones) != sorted(set(self.milestones)):
            raise ValueError(f"milestones {list(self.milestones)} must rise, such as [0.3, 0.6]")
        if self.momentum[0] < self.momentum[1]:
            raise ValueError(f"momentum {list(self.momentum)} is not [high, low]; swap the two")
        return self


class Augment(BaseModel):
    """Augmentation of the training images, drawn anew in every epoch."""

    model_config = STRICT

    pad: Annotated[int, Field(ge=0, le=64)] = 0
    """Border of the random crop, in pixels."""
    mode: Literal["symmetric", "reflect", "zero"] = "reflect"
    """Border: symmetric repeats the edge pixel, reflect does not, zero is black."""
    flip: Literal["random", "alternating", "none"] = "none"
    """Mirroring: at random, or alternating from epoch to epoch (airbench)."""
    cutout: Annotated[int, Field(ge=0, le=512)] = 0
    """Side of the square that is blanked, in pixels."""
    brightness: Below1 = 0.0
    """Range of a factor of the brightness, as in torchvision: from 1 - this to 1 + this."""
    contrast: Below1 = 0.0
    """Range of a factor of the contrast, as in torchvision: from 1 - this to 1 + this."""
    offset: Below1 = 0.0
    """Range of a summand of the normalised pixels: from -this to this."""
    gain: Below1 = 0.0
    """Range of a factor of the normalised pixels: from 1 - this to 1 + this."""

    def beyond(self, size: int, section: str = "train.augment") -> str | None:
        """What is wrong if these are to be images of ``size`` x ``size`` pixels, in one line; None if nothing is.

        A border as wide as the image makes crops without a pixel of the image itself, or of a reflection that is not
        there; a square as large as the image blanks all of it.
        """
        for name in ("pad", "cutout"):
            if (value := getattr(self, name)) >= size:
                return (
                    f"{section}.{name} = {value} does not fit into images of {size} pixels; set it to 0 to {size - 1}"
                )
        return None


class Muon(BaseModel):
    """Muon, the optimizer of the filters; the formulas are in dawn/training/muon.py."""

    model_config = STRICT

    lr: Positive = 0.24
    """Learning rate of the filters at the peak of the schedule."""
    momentum: Below1 = 0.6
    """Momentum of the filters."""
    steps: Annotated[int, Field(ge=1, le=20)] = 3
    """Newton-Schulz iterations."""
    coefficients: tuple[float, float, float] = (3.4445, -4.7750, 2.0315)
    """Coefficients of the iteration's odd polynomial of degree 5."""


class Lookahead(BaseModel):
    """Lookahead: pull the weights towards a slow average of them; the formulas are in dawn/training/averaging.py."""

    model_config = STRICT

    every: NonNegativeInt = 0
    """Steps between updates of the slow weights; 0: never."""
    decay: Below1 = 0.95
    """The slow weights keep decay^every of themselves, times (fraction of the training)^power."""
    power: NonNegativeFloat = 3.0
    """The exponent in decay."""
