"""Check an experiment and write it out whole: every default filled in, ready for any step's --params.

python -m dawn.params --base params.yaml --preset workflow/presets/wrn22.yaml --set train.epochs=3 --out all.yaml
"""

from pathlib import Path
from typing import Any

import yaml

from dawn.config.experiment import check, dump, merge, read
from dawn.core import cli
from dawn.core.files import write_text


def setting(text: str) -> dict[str, Any]:
    """``a.b=value`` as nested mappings, the value read as YAML."""
    key, equals, value = text.partition("=")
    if not equals or not all(key.split(".")):
        raise cli.InputError(f"--set {text} is not of the form section.key=value")
    try:
        nested = yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise cli.InputError(f"--set {text}: {value} is not YAML ({error})") from error
    for part in reversed(key.split(".")):
        nested = {part: nested}
    result: dict[str, Any] = nested
    return result


def main() -> None:
    """Parse, lay one over the other, check, write."""
    parser = cli.parser(main)
    parser.add_argument("--base", type=Path, help="the experiment at the bottom, YAML")
    parser.add_argument("--preset", type=Path, action="append", default=[], help="laid over it, YAML; may be repeated")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="over that; may be repeated")
    parser.add_argument("--out", type=Path, required=True, help="the whole experiment, YAML")
    args = parser.parse_args()
    values: dict[str, Any] = {}
    for layer in [*([read(args.base)] if args.base else []), *map(read, args.preset), *map(setting, args.set)]:
        values = merge(values, layer)
    experiment = check(values, "params")
    write_text(args.out, dump(experiment))


if __name__ == "__main__":
    cli.run(main)
