"""What the settings of every family of networks have."""

from typing import Literal

from dawn.config.types import Settings


class Network(Settings):
    """A section ``model``. A family gives ``family`` the type of its name, ``Literal["darknet"]``."""

    family: str
    bn_init: Literal["ones", "uniform"] = "ones"
    """Initial scales of batch norm: ones, or from 0 to 1 at random, as in PyTorch before 1.2 (pytorch#12259)."""

    @property
    def title(self) -> str:
        """The network's name in reports."""
        return self.family
