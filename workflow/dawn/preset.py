"""Lay a preset over params.yaml in place, so that DVC sees it as well as snakemake; comments and order stay.

    python -m dawn.preset workflow/presets/demo.yaml
    git checkout params.yaml && python -m dawn.preset workflow/presets/wrn22.yaml      from one preset to another

A model of another family replaces the section. Nothing is written unless the whole is a valid experiment.
"""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.tokens import CommentToken

from dawn.config.experiment import check, merge, read
from dawn.core import cli
from dawn.core.files import write_text


def laid_over(text: str, preset: str) -> str:
    """The YAML of an experiment with the values of a preset in it."""
    format = YAML()
    format.preserve_quotes = True
    format.width = 200
    format.indent(mapping=2, sequence=4, offset=2)
    format.representer.add_representer(type(None), lambda r, _: r.represent_scalar("tag:yaml.org,2002:null", "null"))
    document = format.load(text)
    put(document, format.load(preset))
    close_up(document)
    out = io.StringIO()
    format.dump(document, out)
    return out.getvalue()


def put(below: CommentedMap, over: CommentedMap) -> None:
    """What ``dawn.config.experiment.lay`` does, on documents that carry comments."""
    if "family" in over and over["family"] != below.get("family"):
        gap = (below.ca.items.get(list(below)[-1]) or [None] * 3)[2]  # the last line's comment and the lines after it
        below.clear()
        below.ca.items.clear()
        below.update(over)
        if gap is not None:
            gap.value = "\n" + gap.value.partition("\n")[2]
            below.ca.items[list(below)[-1]] = [None, None, gap, None]
        return
    for key, value in over.items():
        if isinstance(value, CommentedMap) and isinstance(below.get(key), CommentedMap):
            put(below[key], value)
        else:
            below[key] = value


def close_up(node: Any) -> None:
    """Put each comment a space after its value, wherever the value before it ended."""
    if isinstance(node, CommentedMap):
        for tokens in node.ca.items.values():
            for token in tokens:
                if isinstance(token, CommentToken):
                    token.column = 0
        for value in node.values():
            close_up(value)


def main() -> None:
    """Parse, lay over, check, write."""
    parser = cli.parser(main)
    parser.add_argument("preset", type=Path, nargs="+", help="YAML; several are laid over one after the other")
    parser.add_argument("--params", type=Path, default=Path("params.yaml"), help="rewritten in place (params.yaml)")
    args = parser.parse_args()
    values: Mapping[str, Any] = read(args.params)
    text = args.params.read_text(encoding="utf-8")
    for preset in args.preset:
        values, text = merge(values, read(preset)), laid_over(text, preset.read_text(encoding="utf-8"))
    check(values, str(args.params))
    if yaml.safe_load(text) != values:
        raise cli.InputError(f"{args.params} could not be rewritten with its comments; edit it by hand")
    write_text(args.params, text)


if __name__ == "__main__":
    cli.run(main)
