"""The section ``cycle``: a CycleGAN, and everything that decides its weights, except the seed and the data."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field, NonNegativeFloat, NonNegativeInt, PositiveInt

from dawn.config.train import whole
from dawn.config.types import MOST_CHANNELS, STRICT, Below1, Fraction, Positive

Width = Annotated[int, Field(ge=1, le=MOST_CHANNELS)]


class Translator(BaseModel):
    """The networks that translate an image into the other domain; the shapes are in dawn/cycles/generator.py."""

    model_config = STRICT

    width: Width = 64
    """Channels of the first and last layers; the residual blocks have four times as many."""
    blocks: Annotated[int, Field(ge=1, le=64)] = 9
    """Residual blocks: 9 as published for 256 pixels, 6 for smaller images."""
    upsampling: Literal["transposed3", "nearest", "bilinear"] = "transposed3"
    """How the last layers double the size: transposed3 (kernel size, stride 2) | nearest or bilinear resizing and a 3x3
    convolution."""


class Patches(BaseModel):
    """The networks that give each patch of an image a score, near 1 if it is real; dawn/cycles/critic.py."""

    model_config = STRICT

    width: Width = 64
    """Channels after the first layer; each layer that halves the size doubles them, to eight times as many at most."""
    receptive_field: Literal[16, 34, 70, 142] = 70
    """Side of a patch in pixels; 70 as published."""


class Cycle(BaseModel):
    """Settings of a CycleGAN's training; the defaults are as published (arXiv 1703.10593)."""

    model_config = STRICT

    generator: Translator = Translator()
    """The two generators."""
    critic: Patches = Patches()
    """The two critics."""
    cycle_weight: NonNegativeFloat = 10.0
    """Weight of the cycle loss: mean absolute error of an image that is translated and back."""
    identity_weight: NonNegativeFloat = 0.5
    """Weight of the identity loss over that of the cycle loss: the error of translating an image of the target."""
    pool: NonNegativeInt = 50
    """Translations kept, of which the critic sees an older one half of the time; 0: the newest alone."""
    pairs: bool = False
    """Train each generator on pairs with the mean absolute error, without critics: what pairs would give. Only where
    the data has pairs."""
    lr: Positive = 2e-4
    """Learning rate of all networks."""
    betas: tuple[Below1, Below1] = (0.5, 0.999)
    """Adam: decays of the means of the gradient and of its square."""
    constant: Fraction = 0.5
    """Fraction of the training before the learning rate falls, linearly to 0."""
    epochs: Annotated[float, Field(gt=0, le=100_000), AfterValidator(whole)] = 200
    """Passes over the larger domain."""
    batch: PositiveInt = 1
    """Images of each domain in a step, over all processes."""
    pad: Annotated[int, Field(ge=0, le=64)] = 0
    """Reflected border of the random crop, in pixels."""
    flip: bool = True
    """Mirror half of the images."""
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    """Number format; auto is fp16 on a GPU and fp32 on a CPU."""
    samples_every: PositiveInt = 1
    """Epochs between the translations that are kept to be seen side by side."""
