"""The section ``model``: the settings of one of the families of networks, chosen by ``family``.

A family is a package here with two modules: ``settings``, which has a class of ``Network``, and ``network``, which has
the function ``build(settings, classes)``. The settings stand apart because Snakemake reads them at every start, without
loading torch.
"""

from functools import reduce
from importlib import import_module
from operator import or_
from pathlib import Path
from typing import Annotated, Any, get_args

from pydantic import Field

from dawn.tasks.classify.networks.family import Network


def _families() -> dict[str, type[Network]]:
    """The settings of each family by its name."""
    here, families = Path(__file__).parent, {}
    for path in sorted(here.glob("*/settings.py")):
        module = import_module(f"dawn.tasks.classify.networks.{path.parent.name}.settings")
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, Network) and value is not Network:
                (name,) = get_args(value.model_fields["family"].annotation)
                families[name] = value
    return families


FAMILIES = _families()
Model: Any = Annotated[reduce(or_, FAMILIES.values()), Field(discriminator="family")]
