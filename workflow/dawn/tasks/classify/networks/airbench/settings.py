"""Settings of the airbench94 network (arXiv 2404.00498)."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from dawn.config.types import MOST_CHANNELS, Activation, Positive
from dawn.tasks.classify.networks.family import Network

Width = Annotated[int, Field(ge=1, le=MOST_CHANNELS)]


class Airbench(Network):
    """A whitening layer, groups of 3x3 convolutions and a linear head; docs/airbench.md explains each part."""

    family: Literal["airbench"]
    widths: Annotated[tuple[Width, ...], Field(min_length=1, max_length=5)] = (64, 256, 256)
    """Channels of each group."""
    depth: Annotated[int, Field(ge=1, le=8)] = 2
    """Convolutions in each group."""
    kernel: Annotated[int, Field(ge=1, le=5)] = 2
    """Kernel size of the first layer."""
    whiten: bool = True
    """Whiten the patches of the image by the first layer's frozen filters; false: the filters are trained."""
    whiten_eps: Positive = 5e-4
    """Added to the eigenvalues of the patches before the inverse root."""
    dirac: bool = True
    """Dirac initialisation of the convolutions; false: PyTorch's own."""
    activation: Activation = "gelu"
    """Activation function in the groups."""
    stem_activation: Activation = "gelu"
    """Activation function after the first layer."""
    bn_scale: bool = False
    """Train the scales of batch norm; false: they stay 1."""
    bn_momentum: Annotated[float, Field(gt=0, le=1)] = 0.4
    """Weight of a new batch in the running statistics of batch norm."""
    bn_eps: Positive = 1e-12
    """Added to the variance in batch norm."""
    head_unit: bool = False
    """Divide the head's initial weights by their standard deviation; needs a smaller logit_scale."""
    logit_scale: Positive = 1 / 9
    """Factor of the logits."""
    inplace: bool = True
    """Activations in place: the same numbers, less memory."""

    @property
    def title(self) -> str:
        """The network's usual name."""
        return f"airbench {list(self.widths)}"

    @model_validator(mode="after")
    def _check(self) -> "Airbench":
        if self.bn_init == "uniform" and not self.bn_scale:
            raise ValueError("bn_init uniform draws scales, which bn_scale false keeps at 1; set bn_scale to true")
        return self
