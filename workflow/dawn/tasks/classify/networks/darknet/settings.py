"""Settings of Darknet, the network of fast.ai's lesson 12."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from dawn.config.types import MOST_CHANNELS, Activation, Below1, Kernels, Pool, check_odd
from dawn.tasks.classify.networks.family import Network


class Darknet(Network):
    """A stem, then groups that double the channels, each followed by residual layers."""

    family: Literal["darknet"]
    blocks: Annotated[tuple[Annotated[int, Field(ge=0, le=64)], ...], Field(min_length=1, max_length=8)]
    """Residual layers in each group."""
    width: Annotated[int, Field(ge=1, le=1024)] = 32
    """Channels of the stem."""
    ratio: Annotated[float, Field(gt=0, le=8)] = 0.5
    """Channels inside a residual layer over those outside; 0.5 is the lesson's ni//2."""
    kernels: Kernels = (1, 3)
    """Kernel sizes of the convolutions in a residual layer."""
    extra_kernels: tuple[Annotated[int, Field(ge=1, le=15)], ...] = ()
    """Kernel sizes of convolutions added after those, with all channels of the layer; empty: none."""
    activation: Activation = "leaky_relu"
    """Activation function."""
    slope: Below1 = 0.1
    """Slope of leaky_relu below zero."""
    bn_momentum: Annotated[float, Field(gt=0, le=1)] = 0.01
    """Weight of a new batch in the running statistics of batch norm."""
    pool: Pool = "adaptive"
    """Last pooling: adaptive averages any feature map, fixed only that of a 32-pixel image."""
    inplace: bool = True
    """Activations and residual sums in place: the same numbers, less memory."""

    @property
    def title(self) -> str:
        """The network's usual name."""
        return f"Darknet {list(self.blocks)} width {self.width}"

    @model_validator(mode="after")
    def _check(self) -> "Darknet":
        check_odd((*self.kernels, *self.extra_kernels))
        channels = self.width * 2 ** len(self.blocks)
        if channels > MOST_CHANNELS:
            raise ValueError(
                f"width {self.width} doubled {len(self.blocks)} times makes {channels} channels; "
                f"at most {MOST_CHANNELS} are allowed"
            )
        if int(self.width * 2 * self.ratio) < 1:
            raise ValueError(f"ratio {self.ratio:g} leaves no channel inside a layer of {self.width * 2}")
        return self
