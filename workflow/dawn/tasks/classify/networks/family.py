"""What the settings of every family of networks have."""

from dawn.config.types import Settings


class Network(Settings):
    """A section ``model``. A family gives ``family`` the type of its name, ``Literal["darknet"]``."""

    family: str

    @property
    def title(self) -> str:
        """The network's name in reports."""
        return self.family
