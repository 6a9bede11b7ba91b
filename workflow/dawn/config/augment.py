"""The settings of the augmentation of training images."""

from typing import Annotated, Literal

from pydantic import Field

from dawn.config.types import Below1, Settings


class Augment(Settings):
    """Augmentation of the training images, drawn anew in every epoch."""

    pad: Annotated[int, Field(ge=0, le=64)] = 0
    """Border of the random crop, in pixels."""
    mode: Literal["symmetric", "reflect", "zero", "enlarge"] = "reflect"
    """Border: symmetric repeats the edge pixel, reflect does not, zero is black, enlarge resizes the image."""
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
        """Say what is wrong with these for images of ``size`` x ``size`` pixels, in one line; None if nothing is.

        A border as wide as the image makes crops without a pixel of the image itself, or of a reflection that is not
        there; a square as large as the image blanks all of it.
        """
        for name in ("pad", "cutout"):
            if (value := getattr(self, name)) >= size:
                return (
                    f"{section}.{name} = {value} does not fit into images of {size} pixels; set it to 0 to {size - 1}"
                )
        return None
