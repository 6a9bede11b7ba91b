"""Messages for settings that cannot be used: the key, its value and what is allowed, in one line."""

import difflib
import json
from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from dawn.config.model import FAMILIES

RENAMED = {  # former keys
    "train.bias_rate": "train.bias_lr_multiplier",
    "train.stem_rate": "train.stem_lr_multiplier",
    "train.muon.rate": "train.muon.lr",
    "evaluate.tta_share": "evaluate.tta_fraction",
}
RENAMED_FAMILIES = {"record": "airbench"}
MAPPING = "a mapping of settings is expected, such as {key: value}"
PLAIN = {"model_type": MAPPING, "model_attributes_type": MAPPING, "too_short": "more values are needed"}


def explain(error: ValidationError, settings: type[BaseModel]) -> str:
    """Return all faults that pydantic found in ``settings``, separated by semicolons."""
    return "; ".join(_fault(fault, settings) for fault in error.errors(include_url=False))


def _fault(fault: ErrorDetails, settings: type[BaseModel]) -> str:
    where = [part for part in fault["loc"] if not str(part).startswith(("literal[", "constrained", "tag:"))]
    key = ".".join(str(part) for part in where if part not in FAMILIES)
    value, kind = fault["input"], fault["type"]
    if kind == "extra_forbidden":
        return _unknown(key, _section(where, settings))
    if kind == "missing":
        return f"{key} is missing"
    if kind == "value_error":
        return (f"{key}: " if key else "") + fault["msg"].removeprefix("Value error, ")
    if kind.startswith("union_tag"):
        return _family(key, value.get("family") if isinstance(value, dict) else value)
    return f"{key} = {json.dumps(value, default=str)}: {PLAIN.get(kind, fault['msg'][0].lower() + fault['msg'][1:])}"


def _section(where: list[str | int], settings: type[BaseModel]) -> type[BaseModel]:
    """Return the class of the section that should hold the last key of ``where``."""
    for part in where[:-1]:
        if part in FAMILIES:
            settings = FAMILIES[str(part)]
        elif isinstance(part, str) and part in settings.model_fields:
            settings = next(_sections(settings.model_fields[part].annotation), settings)
    return settings


def _sections(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the classes of settings in a type annotation."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _sections(part)


def _unknown(key: str, section: type[BaseModel]) -> str:
    """Return the message for an unknown key: its present name, or the allowed keys and the most similar of them."""
    if key in RENAMED:
        return f"{key} is now called {RENAMED[key]}; rename it"
    allowed = sorted(section.model_fields)
    near = difflib.get_close_matches(key.rpartition(".")[2], allowed, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    return f"{key} is not a known key; {hint}allowed: {', '.join(allowed)}"


def _family(key: str, family: Any) -> str:
    if family in RENAMED_FAMILIES:
        return f"{key}.family = {json.dumps(family)} is now called {RENAMED_FAMILIES[family]}; rename it"
    return f"{key}.family = {json.dumps(family, default=str)}: must be one of {', '.join(FAMILIES)}"
