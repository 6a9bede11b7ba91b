"""Look whether a run will work on this machine: a line for each thing, and the remedy beside what is wrong.

    python -m dawn.doctor                        everything
    python -m dawn.doctor packages torch gpu     these alone

`ok` works, `--` is not here and need not be, `WRONG` will hurt and ends with 1. Mirrors are asked, processes joined.
"""

import sys
from collections.abc import Callable
from pathlib import Path

from dawn.config.experiment import load
from dawn.core import cli
from dawn.health import hardware, place, software
from dawn.health.finding import Finding

ROOT = Path(__file__).resolve().parents[2]
CHECKS: dict[str, Callable[[Path], list[Finding]]] = {
    "python": software.python,
    "packages": software.packages,
    "torch": software.torch,
    "gpu": hardware.gpu,
    "join": hardware.join,
    "shm": hardware.shm,
    "disk": hardware.disk,
    "scheduler": place.scheduler,
    "container": place.container,
}
MARKS = {"ok": "ok   ", "none": "--   ", "wrong": "WRONG"}


def line(name: str, finding: Finding) -> str:
    """One finding as it is shown."""
    remedy = f" -> {finding.remedy}" if finding.remedy else ""
    return f"{MARKS[finding.state]}  {name:<9}  {finding.words}{remedy}"


def main() -> None:
    """Parse, look, say."""
    parser = cli.parser(main)
    names = [*CHECKS, "mirrors"]
    parser.add_argument("checks", nargs="*", metavar="CHECK", help=f"of {', '.join(names)} (all)")
    parser.add_argument("--params", type=Path, default=ROOT / "params.yaml", help="the experiment, for its data.urls")
    args = parser.parse_args()
    if unknown := [name for name in args.checks if name not in names]:
        raise cli.InputError(f"no check is called {unknown[0]}; there are {', '.join(names)}")
    wrong = 0
    for name in args.checks or names:
        if name == "mirrors":
            data = load(args.params).data
            found = place.mirrors(data.urls, data.bytes)
        else:
            found = CHECKS[name](ROOT)
        for finding in found:
            print(line(name, finding), flush=True)
        wrong += sum(finding.state == "wrong" for finding in found)
    if wrong:
        print(f"{wrong} wrong", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    cli.run(main)
