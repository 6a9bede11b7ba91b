"""The types of the settings in params.yaml."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

STRICT = ConfigDict(
    frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True, use_attribute_docstrings=True
)

Fraction = Annotated[float, Field(ge=0, le=1)]
Below1 = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]
ImageSize = Annotated[int, Field(ge=8, le=512)]

Activation = Literal["leaky_relu", "relu", "silu", "gelu"]
Kernels = Annotated[tuple[Annotated[int, Field(ge=1, le=15)], ...], Field(min_length=1, max_length=8)]
Pool = Literal["adaptive", "fixed"]
Views = Literal["none", "mirror", "six", "six_equal"]
MOST_CHANNELS = 16384  # more can only be a mistyped width

Labels = Literal["fine", "coarse"]  # of CIFAR-100
Resize = Literal["crop", "stretch"]  # how an image becomes a square; dawn/data/image_file.py


def check_odd(kernels: tuple[int, ...]) -> None:
    """Raise ValueError for an even kernel size, which would change the size of the feature map."""
    if any(kernel % 2 == 0 for kernel in kernels):
        raise ValueError(f"kernels {list(kernels)} must be odd, so that a branch and its shortcut have equal sizes")
