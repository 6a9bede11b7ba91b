"""What the settings of every family of networks have."""

from pydantic import BaseModel

from dawn.config.types import STRICT


class Network(BaseModel):
    """A section ``model``. A family gives ``family`` the type of its name, ``Literal["darknet"]``."""

    model_config = STRICT

    family: str

    @property
    def title(self) -> str:
        """The network's name in reports."""
        return self.family
