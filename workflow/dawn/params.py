"""Check an experiment and write it in full, every default filled in, as the steps take it with --params.

python -m dawn.params --base params.yaml --preset workflow/presets/wrn22.yaml --set train.epochs=3 --out full.yaml
"""

from functools import reduce
from pathlib import Path
from typing import Any

import yaml

from dawn.config.experiment import Experiment, check, merge, nested, read
from dawn.config.yaml_text import parse
from dawn.core import cli
from dawn.core.files import write_text
from dawn.core.secrets import is_remote


def setting(text: str) -> dict[str, Any]:
    """``a.b=value`` as nested mappings; the value is YAML."""
    key, equals, value = text.partition("=")
    if not equals or not all(key.split(".")):
        raise cli.InputError(f"--set {text} is not of the form section.key=value")
    return nested(key, parse(value, f"--set {text}"))


def full(experiment: Experiment) -> str:
    """Return the experiment as YAML to run here: files of this machine with their paths, addresses without secrets."""
    values = experiment.model_dump(mode="json")
    pairs = zip(values["data"]["urls"], experiment.data.sources, strict=True)
    values["data"]["urls"] = [shown if is_remote(written) else written for shown, written in pairs]
    return yaml.safe_dump(values, sort_keys=False, width=100)


def main() -> None:
    """Merge, check, write."""
    parser = cli.parser(main)
    parser.add_argument("--base", type=Path, help="the experiment to start from, YAML")
    parser.add_argument("--preset", type=Path, action="append", default=[], help="merged over it, YAML; repeatable")
    parser.add_argument("--set", type=setting, action="append", default=[], metavar="KEY=VALUE",
                        help="one setting, merged last; repeatable")  # fmt: skip
    cli.add_out(parser, "the full experiment, YAML")
    args = parser.parse_args()
    files = filter(None, [args.base, *args.preset])
    values: dict[str, Any] = reduce(merge, [*map(read, files), *args.set], {})
    write_text(args.out, full(check(values, "params")))


if __name__ == "__main__":
    cli.run(main)
