"""Messages for settings that cannot be used: the key, its value and what is allowed, in one line."""

import difflib
import json
from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

RENAMED = {  # former keys
    "train.bias_rate": "train.bias_lr_multiplier",
    "train.stem_rate": "train.stem_lr_multiplier",
    "train.muon.rate": "train.muon.lr",
    "evaluate.tta_share": "evaluate.tta_fraction",
}
RENAMED_FAMILIES = {"record": "airbench"}
MAPPING = "a mapping of settings is expected, such as {key: value}"
MOST_FAULTS = 10
LONGEST = 600  # characters of a fault
PLAIN = {"model_type": MAPPING, "model_attributes_type": MAPPING, "too_short": "more values are needed",
         "tuple_type": "a list is expected, such as [a, b]"}  # fmt: skip


def explain(error: ValidationError, settings: Any) -> str:
    """Return the faults that pydantic names in ``settings``, a class or a type, separated by semicolons."""
    faults = error.errors(include_url=False)
    more = [f"and {len(faults) - MOST_FAULTS} more faults"] if len(faults) > MOST_FAULTS else []
    return "; ".join([cut(_fault(fault, settings), LONGEST) for fault in faults[:MOST_FAULTS]] + more)


def cut(text: str, limit: int) -> str:
    """Return a text with at most ``limit`` characters of it."""
    return text if len(text) <= limit else f"{text[:limit]}... ({len(text)} characters)"


def _written(value: Any) -> str:
    """Return a value as JSON, cut; a number that Python prints no digits of by its size."""
    try:
        return cut(json.dumps(value, default=str), 80)
    except ValueError:  # more than 4300 digits, or a mapping that contains itself
        return "a value that is too large"


def _fault(fault: ErrorDetails, settings: Any) -> str:
    where = [part for part in fault["loc"] if not str(part).startswith(("literal[", "constrained", "tag:"))]
    keys, sections = _resolved(where, settings)
    key, value, kind = cut(".".join(keys), 80), fault["input"], fault["type"]
    if kind == "extra_forbidden":
        return _unknown(key, str(where[-1]), sections[0])
    if kind == "missing":
        return f"{key} is missing"
    if kind == "value_error":
        return (f"{key}: " if key else "") + fault["msg"].removeprefix("Value error, ")
    if kind.startswith("union_tag"):
        return _family(key, value.get("family") if isinstance(value, dict) else value, sections)
    return f"{key} = {_written(value)}: {PLAIN.get(kind, fault['msg'][0].lower() + fault['msg'][1:])}"


def _resolved(where: list[str | int], settings: Any) -> tuple[list[str], list[type[BaseModel]]]:
    """Return the keys of a place, without the families that pydantic puts between them, and the classes there.

    Of a key that no class has, these are the classes that should hold it.
    """
    keys: list[str] = []
    sections = list(_sections(settings))
    for part in where:
        if chosen := [section for section in sections if part in _names(section)]:
            sections = chosen
            continue
        keys.append(str(part))
        for section in sections[:1]:
            if part in section.model_fields:
                sections = list(_sections(section.model_fields[str(part)].annotation)) or sections
    return keys, sections


def _names(section: type[BaseModel]) -> tuple[Any, ...]:
    """Return the families whose settings a class holds."""
    family = section.model_fields.get("family")
    return get_args(family.annotation) if family else ()


def _sections(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the classes of settings in a type annotation."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _sections(part)


def _unknown(key: str, name: str, section: type[BaseModel]) -> str:
    """Return the message for an unknown key: its present name, the section it belongs to, or the most similar key."""
    if key in RENAMED:
        return f"{key} is now called {RENAMED[key]}; rename it"
    if "." in name:
        first, *rest = key.split(".")
        return f"{key} is not a known key; write {first}: {{{': {'.join(rest)}: ...{'}' * len(rest)}"
    allowed = sorted(section.model_fields)
    near = difflib.get_close_matches(name, allowed, n=1)
    places = [] if near else list(dict.fromkeys(_places(name, section)))
    what = "a section" if places and key == name else "a known key"
    meant = near or [key.removesuffix(name) + place for place in places]
    hint = f"did you mean {' or '.join(meant)}? " if meant else ""
    return f"{key} is not {what}; {hint}allowed: {', '.join(allowed)}"


def _places(name: str, section: type[BaseModel], above: str = "") -> Iterator[str]:
    """Yield the dotted keys of the settings of a name in the sections of a section, none below another of them."""
    for key, field in section.model_fields.items():
        for below in _sections(field.annotation):
            if name in below.model_fields:
                yield f"{above}{key}.{name}"
            else:
                yield from _places(name, below, f"{above}{key}.")


def _family(key: str, family: Any, sections: list[type[BaseModel]]) -> str:
    if family in RENAMED_FAMILIES:
        return f"{key}.family = {_written(family)} is now called {RENAMED_FAMILIES[family]}; rename it"
    known = [name for section in sections for name in _names(section)]
    return f"{key}.family = {_written(family)}: must be one of {', '.join(known)}"
