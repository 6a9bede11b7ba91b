"""Write a preset into params.yaml, so that DVC tracks it; comments and the order of keys stay.

A preset of another task also changes dvc.yaml to the stages of this task.

    python -m dawn.preset workflow/presets/demo.yaml
    git checkout params.yaml && python -m dawn.preset workflow/presets/wrn22.yaml      from one preset to another

    python -m dawn.preset new --data photos/            a preset for images of your own, workflow/presets/photos.yaml

A model of another family replaces the section. Nothing is written unless the result is a valid experiment.
"""

import io
import re
import sys
from functools import reduce
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.tokens import CommentToken

from dawn.config.dvc import FILE, pipeline
from dawn.config.experiment import check, merge, read
from dawn.config.yaml_text import parse
from dawn.core import cli
from dawn.core.files import write_text
from dawn.data.collection.survey import survey


def merged(text: str, preset: str) -> str:
    """Merge a preset (YAML) into the YAML of an experiment."""
    format = YAML()
    format.preserve_quotes = True
    format.width = 200
    format.indent(mapping=2, sequence=4, offset=2)
    format.representer.add_representer(type(None), lambda r, _: r.represent_scalar("tag:yaml.org,2002:null", "null"))
    document = format.load(text)
    merge_commented(document, format.load(preset))
    align_comments(document)
    out = io.StringIO()
    format.dump(document, out)
    return out.getvalue()


def merge_commented(base: CommentedMap, over: CommentedMap) -> None:
    """``dawn.config.experiment.merge`` in place, for documents that carry comments."""
    if "family" in over and over["family"] != base.get("family"):
        replace(base, over)
        return
    for key, value in over.items():
        if isinstance(value, CommentedMap) and isinstance(base.get(key), CommentedMap):
            merge_commented(base[key], value)
        else:
            base[key] = value


def replace(section: CommentedMap, other: CommentedMap) -> None:
    """Give a section the keys of another one, and keep the blank lines and comments that follow it."""
    after = (section.ca.items.get(list(section)[-1]) or [None] * 3)[2]  # the last line's comment and what follows
    section.clear()
    section.ca.items.clear()
    section.update(other)
    if after is not None:
        after.value = "\n" + after.value.partition("\n")[2]
        section.ca.items[list(section)[-1]] = [None, None, after, None]


def align_comments(node: Any) -> None:
    """Put each comment one space after its value, whatever the length of the value before the merge."""
    if isinstance(node, CommentedMap):
        for tokens in node.ca.items.values():
            for token in tokens:
                if isinstance(token, CommentToken):
                    token.column = 0
        for value in node.values():
            align_comments(value)


def new(arguments: list[str]) -> None:
    """Write a preset for a folder or an archive of images."""
    parser = cli.parser(main)
    parser.prog += " new"
    parser.add_argument("--data", type=Path, required=True, help="a folder of images, or a tar or zip of one")
    parser.add_argument(
        "--params", type=Path, default=Path("params.yaml"), help="what the preset changes (params.yaml)"
    )
    parser.add_argument("--out", type=Path, help="the preset, YAML (workflow/presets/NAME.yaml)")
    parser.add_argument("--classes", nargs="+", metavar="NAME", help="the folders that are classes (those found)")
    parser.add_argument("--skip-broken", action="store_true", help="leave out images that cannot be read")
    args = parser.parse_args(arguments)
    name = re.sub(r"[^\w.-]+", "-", args.data.absolute().name.partition(".")[0], flags=re.ASCII).strip("-") or "mine"
    out: Path = args.out or Path("workflow/presets", f"{name}.yaml")
    if out.exists():
        raise cli.InputError(f"{out} exists; delete it, or name another file with --out")
    images = survey(args.data, args.classes, args.skip_broken)
    check(merge(read(args.params), parse(images.preset(), str(out))), str(out))
    write_text(out, images.preset())
    print(*images.lines(), f"{out} is written; check it, then: snakemake --configfile {out}", sep="\n")


def main() -> None:
    """Merge, check, write."""
    if sys.argv[1:2] == ["new"]:
        new(sys.argv[2:])
        return
    parser = cli.parser(main)
    parser.add_argument("preset", type=Path, nargs="+", help="YAML; of several, each is merged over those before it")
    parser.add_argument("--params", type=Path, default=Path("params.yaml"), help="rewritten in place (params.yaml)")
    args = parser.parse_args()
    values = reduce(merge, map(read, [args.params, *args.preset]))
    experiment = check(values, str(args.params))
    text = reduce(merged, (path.read_text(encoding="utf-8") for path in [args.params, *args.preset]))
    if parse(text, str(args.params)) != values:
        raise cli.InputError(f"{args.params} could not be rewritten with its comments; edit it by hand")
    dvc = args.params.with_name(FILE)
    stages = pipeline(experiment) if dvc.exists() else None
    write_text(args.params, text)
    if stages is not None and stages != dvc.read_text(encoding="utf-8"):
        write_text(dvc, stages)


if __name__ == "__main__":
    cli.run(main)
