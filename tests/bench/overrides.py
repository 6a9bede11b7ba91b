"""Settings of a command line, KEY=VALUE, merged over those of an experiment."""

from collections.abc import Iterable
from typing import Any

import yaml

from dawn.config.experiment import merge, nested


def merged(settings: dict[str, Any], items: Iterable[str]) -> dict[str, Any]:
    """Return the settings with items such as ``train.epochs=2``, whose values are YAML, merged over them."""
    for item in items:
        key, value = item.split("=", 1)
        settings = merge(settings, nested(key, yaml.safe_load(value)))
    return settings
