"""The section ``model``: the settings of one of the families of networks, chosen by ``family``."""

from typing import Annotated, get_args

from pydantic import BaseModel, Field

from dawn.config.networks.airbench import Airbench
from dawn.config.networks.darknet import Darknet
from dawn.config.networks.file import File
from dawn.config.networks.torchvision import Torchvision
from dawn.config.networks.wide_resnet import WideResNet

Network = Darknet | WideResNet | Torchvision | Airbench | File
Model = Annotated[Network, Field(discriminator="family")]

FAMILIES: dict[str, type[BaseModel]] = {
    name: settings for settings in get_args(Network) for name in get_args(settings.model_fields["family"].annotation)
}
