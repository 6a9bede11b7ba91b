"""The sections within ``train``: what a training is made of."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, NonNegativeFloat, NonNegativeInt, model_validator

from dawn.config.types import STRICT, Below1, Positive, Share


class Schedule(BaseModel):
    """Learning rate and momentum by batch; see dawn/training/schedule.py for the formulas."""

    model_config = STRICT

    kind: Literal["one_cycle", "cosine", "linear", "step"] = "one_cycle"
    peak: Positive
    div: Annotated[float, Field(ge=1)] = 20.0
    warmup: Below1 = 0.0
    pct: Annotated[float, Field(ge=0, le=100)] = 20.0
    momentum: tuple[Below1, Below1] = (0.95, 0.85)
    final: Share = 0.0
    milestones: tuple[Share, ...] = ()
    factor: Share = 0.2

    @model_validator(mode="after")
    def _ordered(self) -> "Schedule":
        if list(self.milestones) != sorted(set(self.milestones)):
            raise ValueError(f"milestones {list(self.milestones)} must rise from one to the next, such as [0.3, 0.6]")
        if self.momentum[0] < self.momentum[1]:
            raise ValueError(f"momentum {list(self.momentum)} is not [high, low]; swap them")
        return self


class Augment(BaseModel):
    """What is done to a training image, drawn anew every epoch."""

    model_config = STRICT

    pad: Annotated[int, Field(ge=0, le=16)] = 0
    mode: Literal["symmetric", "reflect", "zero"] = "reflect"
    flip: Literal["random", "alternating", "none"] = "none"
    cutout: Annotated[int, Field(ge=0, le=32)] = 0
    brightness: Below1 = 0.0
    contrast: Below1 = 0.0


class Muon(BaseModel):
    """The optimiser of the filters (dawn/training/muon.py): learning rate at the peak, Newton-Schulz steps."""

    model_config = STRICT

    lr: Positive = 0.24
    momentum: Below1 = 0.6
    steps: Annotated[int, Field(ge=1, le=20)] = 3


class Lookahead(BaseModel):
    """Every so many steps (0: never) the weights go back towards their slow average; dawn/training/averaging.py."""

    model_config = STRICT

    every: NonNegativeInt = 0
    decay: Below1 = 0.95
    power: NonNegativeFloat = 3.0
