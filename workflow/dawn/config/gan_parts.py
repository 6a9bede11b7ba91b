"""The sections inside ``gan``."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, NonNegativeFloat, NonNegativeInt, PositiveInt

from dawn.config.types import MOST_CHANNELS, STRICT, Below1, Positive

Architecture = Literal["lesson", "dcgan", "sn_cnn"]
Upsampling = Literal["transposed4", "transposed3", "nearest", "bilinear", "pixel_shuffle", "pixel_shuffle_icnr"]
Width = Annotated[int, Field(ge=1, le=MOST_CHANNELS)]


class Generator(BaseModel):
    """The network that makes images from latent vectors; the shapes are in dawn/gans/generator.py."""

    model_config = STRICT

    architecture: Architecture = "lesson"
    """lesson: convolution, activation, batch norm | dcgan: convolution, batch norm, activation | sn_cnn: SNGAN's."""
    latent: PositiveInt = 100
    """Components of a latent vector, drawn from N(0, 1)."""
    width: Width = 64
    """Channels before the last layer; each layer before it has twice as many."""
    extra_layers: NonNegativeInt = 1
    """3x3 convolutions before the last layer; not in sn_cnn."""
    upsampling: Upsampling = "transposed4"
    """How a layer doubles the size: transposed4 and transposed3 (kernel size, stride 2) | nearest or bilinear and a 3x3
    convolution | pixel_shuffle, with ICNR's initial weights or torch's."""
    ema: Below1 = 0.0
    """Decay of an exponential moving average of the weights, which makes the samples in their place; 0: none."""


class Critic(BaseModel):
    """The network that gives an image a score: high for real ones. The shapes are in dawn/gans/critic.py."""

    model_config = STRICT

    architecture: Architecture = "lesson"
    """As that of the generator."""
    width: Width = 64
    """Channels after the first layer; each layer that halves the size doubles them."""
    extra_layers: NonNegativeInt = 1
    """3x3 convolutions after the first layer; not in sn_cnn."""
    norm: Literal["batch", "none"] = "batch"
    """Normalisation after each layer but the first; sn_cnn has none."""
    spectral_norm: bool = False
    """Divide each layer's weights by their largest singular value."""
    classifier: NonNegativeFloat = 0.0
    """Weight of the cross-entropy of a classifier in the critic, which teaches both networks the classes; 0: none."""


class Penalty(BaseModel):
    """Penalties on the gradient of the critic's score by the image, computed in fp32; dawn/gans/penalties.py."""

    model_config = STRICT

    gradient: NonNegativeFloat = 0.0
    """Weight of (norm - 1)^2 between real and generated images (WGAN-GP)."""
    r1: NonNegativeFloat = 0.0
    """Weight of half the squared norm at real images."""
    r2: NonNegativeFloat = 0.0
    """Weight of half the squared norm at generated images."""
    every: PositiveInt = 1
    """Critic steps between two penalties, each of which is multiplied by this number."""


class CriticSteps(BaseModel):
    """The critic's steps before each step of the generator."""

    model_config = STRICT

    usual: PositiveInt = 5
    """Steps before most of the generator's steps."""
    many: PositiveInt = 100
    """Steps before some of them:"""
    first: NonNegativeInt = 0
    """the first so many of a phase,"""
    every: NonNegativeInt = 500
    """and each whose number in its phase, from 0, is divisible by this; 0: none."""


class GanOptimizer(BaseModel):
    """The optimizers of both networks."""

    model_config = STRICT

    kind: Literal["rmsprop", "adam"] = "rmsprop"
    """RMSprop or Adam, with torch's defaults for what is not here."""
    generator_lr: Positive = 1e-4
    """Learning rate of the generator."""
    critic_lr: Positive = 1e-4
    """Learning rate of the critic."""
    betas: tuple[Below1, Below1] = (0.5, 0.999)
    """Adam: decays of the means of the gradient and of its square."""
    decay: Literal["none", "linear"] = "none"
    """Learning rate over the training: constant, or linear to 0."""
