"""Settings of torchvision's classifiers."""

from typing import Annotated, Literal

from pydantic import Field

from dawn.tasks.classify.networks.family import Network


class Torchvision(Network):
    """A classifier of torchvision, by its name there."""

    family: Literal["torchvision"]
    name: Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$")]
    """Name of the network, such as resnet18."""
    cifar_stem: bool = True
    """Let the first layers keep the size of a 32-pixel image."""

    @property
    def title(self) -> str:
        """The network's usual name."""
        return f"torchvision {self.name}"
