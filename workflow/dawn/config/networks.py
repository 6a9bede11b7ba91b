"""The model section: one class a family, chosen by ``model.family``."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, model_validator

from dawn.config.types import STRICT, Below1, Positive

WIDEST = 16384  # channels; past it a mistyped width would only run out of memory

Activation = Literal["leaky_relu", "relu", "silu", "gelu"]
Kernels = Annotated[tuple[Annotated[int, Field(ge=1, le=15)], ...], Field(min_length=1, max_length=8)]
Pool = Literal["adaptive", "fixed"]


class Darknet(BaseModel):
    """The lesson's network: a stem, then groups that double the channels and add residual layers.

    ``ratio`` is the width of a residual layer's inside to its outside (the lesson's ``ni//2``);
    ``kernels`` are the kernel sizes of its convolutions. ``pool`` ends in an average over whatever is left of the
    image (adaptive), or over what is left of one of 32 pixels (fixed), which takes no other size.
    """

    model_config = STRICT

    family: Literal["darknet"]
    blocks: Annotated[tuple[Annotated[int, Field(ge=0, le=64)], ...], Field(min_length=1, max_length=8)]
    width: Annotated[int, Field(ge=1, le=1024)] = 32
    ratio: Annotated[float, Field(gt=0, le=8)] = 0.5
    kernels: Kernels = (1, 3)
    activation: Activation = "leaky_relu"
    slope: Below1 = 0.1
    bn_momentum: Annotated[float, Field(gt=0, le=1)] = 0.01
    pool: Pool = "adaptive"
    inplace: bool = True

    @model_validator(mode="after")
    def _sane(self) -> "Darknet":
        _odd(self.kernels)
        widest = self.width * 2 ** len(self.blocks)
        if widest > WIDEST:
            raise ValueError(
                f"width {self.width} doubled {len(self.blocks)} times is {widest} channels; at most {WIDEST} will do"
            )
        if int(self.width * 2 * self.ratio) < 1:
            raise ValueError(f"ratio {self.ratio:g} leaves no channel inside a layer of {self.width * 2}")
        return self


class WideResNet(BaseModel):
    """WRN-depth-width of arXiv 1605.07146; give ``depth``, or ``blocks``: the blocks in each of the three groups.

    ``kernels`` is the B(M) of the paper: the kernel sizes of the convolutions in a block. ``depth`` counts all the
    convolutions on the way, as the paper's table 3 does. Its table 2 calls B(1,3,1) of 6 blocks a group "40", as if
    it had two convolutions a block: give ``blocks: 6`` for that.
    ``block``: plain adds the branch as it is, scaled adds ``scale`` times the branch. ``pool`` as in Darknet.
    """

    model_config = STRICT

    family: Literal["wrn"]
    depth: Annotated[int, Field(ge=1, le=1024)] | None = None
    blocks: Annotated[int, Field(ge=1, le=128)] | None = None
    width: Annotated[float, Field(gt=0, le=64)] = 1.0
    kernels: Kernels = (3, 3)
    dropout: Below1 = 0.0
    block: Literal["plain", "scaled"] = "plain"
    scale: Positive = 0.2
    pool: Pool = "adaptive"
    inplace: bool = True

    @model_validator(mode="after")
    def _sane(self) -> "WideResNet":
        _odd(self.kernels)
        if (self.depth is None) == (self.blocks is None):
            raise ValueError(f"give depth or blocks, not {'both' if self.depth else 'neither'}")
        step = 3 * len(self.kernels)
        if self.depth is not None and (self.depth <= 4 or (self.depth - 4) % step):
            raise ValueError(
                f"depth {self.depth} is not {step}N + 4 with N >= 1, as {len(self.kernels)} convolutions a block need"
            )
        if 16 * self.width != int(16 * self.width):
            raise ValueError(
                f"width {self.width:g} makes groups of {16 * self.width:g} channels; 16 * width must be whole"
            )
        return self

    @property
    def group_blocks(self) -> int:
        """Blocks in each of the three groups."""
        return self.blocks or ((self.depth or 0) - 4) // (3 * len(self.kernels))


class Torchvision(BaseModel):
    """Any torchvision classifier by name; ``cifar_stem`` keeps its first layers from shrinking a 32-pixel image."""

    model_config = STRICT

    family: Literal["torchvision"]
    name: Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$")]
    cifar_stem: bool = True


class Airbench(BaseModel):
    """The network of the race to 94 %: a whitening layer, groups of 3x3 convolutions, a linear head (docs/record.md).

    Each named part can be switched off: ``whiten`` for a first layer that learns, ``dirac`` for torch's own initial
    filters, ``bn_scale`` for batch norms that learn their scale too. ``head_unit`` divides the head's initial weights
    by their standard deviation, so that with it ``logit_scale`` has to be smaller.
    """

    model_config = STRICT

    family: Literal["airbench"]
    widths: Annotated[tuple[Annotated[int, Field(ge=1, le=WIDEST)], ...], Field(min_length=1, max_length=5)] = (
        64,
        256,
        256,
    )
    depth: Annotated[int, Field(ge=1, le=8)] = 2
    kernel: Annotated[int, Field(ge=1, le=5)] = 2
    whiten: bool = True
    whiten_eps: Positive = 5e-4
    dirac: bool = True
    activation: Activation = "gelu"
    stem_activation: Activation = "gelu"
    bn_scale: bool = False
    bn_momentum: Annotated[float, Field(gt=0, le=1)] = 0.4
    bn_eps: Positive = 1e-12
    head_unit: bool = False
    logit_scale: Positive = 1 / 9
    inplace: bool = True


Model = Annotated[Darknet | WideResNet | Torchvision | Airbench, Field(discriminator="family")]


def _odd(kernels: tuple[int, ...]) -> None:
    if any(kernel % 2 == 0 for kernel in kernels):
        raise ValueError(f"kernels {list(kernels)} must be odd, or the branch and its shortcut differ in size")
