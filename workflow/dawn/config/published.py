"""Files of settings as they may be published: without secrets and without the folders of this machine."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from dawn.config.yaml_text import parse
from dawn.core.cli import InputError
from dawn.core.secrets import hide, published, redacted

ADDRESSES = ("urls", "code_url", "path")  # keys of settings that say where something is


def publishable(path: Path, folder: Path) -> Path:
    """Return the file of settings, or where it has something to hide, a copy in ``folder`` without it."""
    text = path.read_text(encoding="utf-8")
    shown = redacted(text)
    with suppress(InputError):  # no YAML, so no settings
        values = parse(text, str(path))
        if _secret(values):
            shown = hide(text, _addresses(values))
            if _secret(parse(shown, str(path))):  # written escaped
                shown = yaml.safe_dump(_hidden(values), sort_keys=False, allow_unicode=True)
    if shown == text:
        return path
    copy = folder / path.name
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_text(shown, encoding="utf-8")
    return copy


def _secret(values: Any) -> bool:
    """Return whether an address in settings has something to hide."""
    return any(published(address) != address for address in _addresses(values))


def _addresses(value: Any, key: str = "") -> Iterator[str]:
    """Yield every text below one of ``ADDRESSES``."""
    if isinstance(value, dict):
        for name, below in value.items():
            yield from _addresses(below, str(name).rpartition(".")[2])
    elif isinstance(value, list):
        for item in value:
            yield from _addresses(item, key)
    elif isinstance(value, str) and key in ADDRESSES:
        yield value


def _hidden(value: Any, key: str = "") -> Any:
    """Return the same settings, with addresses as they are published."""
    if isinstance(value, dict):
        return {name: _hidden(below, str(name).rpartition(".")[2]) for name, below in value.items()}
    if isinstance(value, list):
        return [_hidden(item, key) for item in value]
    return published(value) if isinstance(value, str) and key in ADDRESSES else value
