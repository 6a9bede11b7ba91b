"""Settings of wide residual networks (arXiv 1605.07146)."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from dawn.config.types import Below1, Kernels, Pool, Positive, check_odd
from dawn.tasks.classify.networks.family import Network


class WideResNet(Network):
    """WRN-depth-width, given by its ``depth`` or by the ``blocks`` in each of its three groups.

    ``depth`` counts all convolutions, as table 3 of the paper does. Table 2 calls B(1,3,1) with 6 blocks a group "40",
    as if a block had two convolutions: set ``blocks: 6`` for that network.
    """

    family: Literal["wrn"]
    depth: Annotated[int, Field(ge=1, le=1024)] | None = None
    """Convolutional layers in all; give depth or blocks."""
    blocks: Annotated[int, Field(ge=1, le=128)] | None = None
    """Residual blocks in each of the three groups."""
    width: Annotated[float, Field(gt=0, le=64)] = 1.0
    """The paper's k: the groups have 16k, 32k and 64k channels."""
    kernels: Kernels = (3, 3)
    """The paper's B(M): kernel sizes of the convolutions in a block."""
    dropout: Below1 = 0.0
    """Dropout between the convolutions of a block."""
    block: Literal["plain", "scaled"] = "plain"
    """plain adds the branch to the shortcut; scaled adds ``scale`` times the branch."""
    scale: Positive = 0.2
    """Factor of the branch in scaled blocks."""
    init: Literal["he", "torch"] = "he"
    """Initial weights of the convolutions: he, N(0, 2 / fan-in); torch, PyTorch's own, as in fast.ai's network."""
    pool: Pool = "adaptive"
    """Last pooling: adaptive averages any feature map, fixed only that of a 32-pixel image."""
    inplace: bool = True
    """Activations and residual sums in place: the same numbers, less memory."""

    @property
    def title(self) -> str:
        """The network's usual name."""
        return f"WRN-{self.depth or 3 * len(self.kernels) * self.group_blocks + 4}-{self.width:g}"

    @property
    def group_blocks(self) -> int:
        """Blocks in each of the three groups."""
        return self.blocks or ((self.depth or 0) - 4) // (3 * len(self.kernels))

    @model_validator(mode="after")
    def _check(self) -> "WideResNet":
        check_odd(self.kernels)
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
