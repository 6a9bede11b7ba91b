"""Settings written as YAML: the one reader for params.yaml, presets, studies, searches and the command line.

PyYAML takes the last of two equal keys, makes dates of words that look like one, and expands aliases without a limit.
Here each of them is refused, with its key and its line.
"""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import yaml

from dawn.core.cli import InputError, quoted

LONGEST = 1_000_000  # characters of a file
MOST_VALUES = 100_000  # of a file, each alias counted as what it stands for
DEEPEST = 50  # sections within sections
LARGEST = 2**64  # whole numbers lie between the negative of it and it
OTHER_BASE = re.compile(r"[-+]?(?:0[0-7_]+|[0-9_]+(:)[0-9_:.]+)")  # as YAML 1.1 has them
TAG = "tag:yaml.org,2002:"
PLAIN = {f"{TAG}{name}" for name in ("str", "int", "float", "bool", "null", "map", "seq", "merge")}


def parse(text: str, source: str) -> Any:
    """The value of a YAML document; an InputError that names ``source``, the key and the line if it is no plain data.

    Plain data is mappings with distinct keys, lists, text, numbers, true, false and null.
    """
    if len(text) > LONGEST:
        raise InputError(f"{source} has {len(text)} characters; settings have at most {LONGEST}")
    try:
        loader = yaml.SafeLoader(text.expandtabs(1) if _is_json(text) else text)
        node = loader.get_single_node()
        if node is None:
            return None
        _Check(source).values(node, ())
        return loader.construct_document(node)
    except (yaml.YAMLError, ValueError) as error:
        raise InputError(f"{source} is not YAML: {' '.join(str(error).split())}") from error
    except RecursionError as error:
        raise InputError(f"{source} is nested more than {DEEPEST} levels deep") from error


def _is_json(text: str) -> bool:
    """Return whether a text is JSON, which may be indented by tabs, as YAML may not."""
    if "\t" not in text or not text.lstrip().startswith("{"):
        return False
    with suppress(ValueError, RecursionError):
        json.loads(text)
        return True
    return False


class _Check:
    """Refuses what is no plain data, before any of it is constructed."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.counts: dict[int, int] = {}  # values in a node, by its id
        self.open: set[int] = set()  # nodes around the present one

    def values(self, node: yaml.Node, key: tuple[str, ...]) -> int:
        """The number of values in a node, those of an alias counted at each place where it stands."""
        if id(node) in self.counts:
            return self.counts[id(node)]
        if node.tag not in PLAIN:
            raise self._fault(node, key, _kind(node))
        if id(node) in self.open:
            raise self._fault(node, key, "contains itself by an alias")
        if len(key) > DEEPEST:
            raise InputError(f"{self.source} is nested more than {DEEPEST} levels deep")
        self.open.add(id(node))
        self._number(node, key)
        self._distinct(node, key)
        count = 1
        for part, below in _below(node):
            count += self.values(below, (*key, part))
            if count > MOST_VALUES:
                raise self._fault(node, key, f"has more than {MOST_VALUES} values, with all aliases written out")
        self.open.remove(id(node))
        self.counts[id(node)] = count
        return count

    def _number(self, node: yaml.Node, key: tuple[str, ...]) -> None:
        if node.tag == f"{TAG}int" and isinstance(node, yaml.ScalarNode):
            long = len(node.value) > 80
            if long or abs(yaml.SafeLoader("").construct_yaml_int(node)) >= LARGEST:
                raise self._fault(node, key, "is too large a number; text of digits needs quotes")
        if node.tag in (f"{TAG}int", f"{TAG}float") and (base := OTHER_BASE.fullmatch(str(node.value))):
            raise self._fault(node, key, f"is a number of base {60 if base[1] else 8} in YAML; write it in base 10")

    def _distinct(self, node: yaml.Node, key: tuple[str, ...]) -> None:
        """Refuse a key that a mapping has twice."""
        lines: dict[tuple[str, str], int] = {}
        for name, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            if not isinstance(name, yaml.ScalarNode):
                raise self._fault(name, key, "is a list or a mapping as a key; a key is a word")
            if first := lines.get((name.tag, name.value)):
                raise InputError(f"{self.source}: {_dotted((*key, name.value))} is there twice, in lines {first} and "
                                 f"{_line(name)}; delete one of them")  # fmt: skip
            lines[name.tag, name.value] = _line(name)

    def _fault(self, node: yaml.Node, key: tuple[str, ...], what: str) -> InputError:
        value = f" = {quoted(node.value)}" if isinstance(node, yaml.ScalarNode) else ""
        return InputError(f"{self.source}: {_dotted(key) or 'the document'}{value} in line {_line(node)} {what}")


def _below(node: yaml.Node) -> Iterator[tuple[str, yaml.Node]]:
    """The nodes directly in a node, each with its part of the dotted key."""
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            yield str(name.value), name
            yield str(name.value), value
    elif isinstance(node, yaml.SequenceNode):
        yield from ((str(place), value) for place, value in enumerate(node.value))


def _kind(node: yaml.Node) -> str:
    if node.tag == f"{TAG}timestamp":
        return "is a date, which no setting is; text needs quotes"
    return f"is of the type {quoted(node.tag.replace(TAG, '!!'))}, which no setting is; text needs quotes"


def _dotted(key: tuple[str, ...]) -> str:
    text = ".".join(key)
    return text if text.isprintable() and len(text) <= 80 else quoted(text)


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
