"""Check whether a run will work on this machine: one line per check, with a remedy for each problem.

    python -m dawn.doctor                        all checks
    python -m dawn.doctor packages torch gpu     these only

A line starts with `ok`, with `--` for what is absent and not needed, or with `PROBLEM`; a problem ends the command with
exit code 1. The check `join` starts processes, `mirrors` queries the network.
"""

import sys
from collections.abc import Callable
from pathlib import Path

from dawn.config.experiment import load
from dawn.core import cli
from dawn.health import engines, hardware, software
from dawn.health.finding import Finding
from dawn.health.mirrors import mirrors

ROOT = Path(__file__).resolve().parents[2]
CHECKS: dict[str, Callable[[Path], list[Finding]]] = {
    "python": software.python,
    "packages": software.packages,
    "torch": software.torch,
    "gpu": hardware.gpu,
    "join": hardware.join,
    "shm": hardware.shm,
    "disk": hardware.disk,
    "scheduler": engines.scheduler,
    "container": engines.container,
}
MARKS = {"ok": "ok     ", "not needed": "--     ", "problem": "PROBLEM"}


def line(name: str, finding: Finding) -> str:
    """One finding as it is printed."""
    remedy = f" -> {finding.remedy}" if finding.remedy else ""
    return f"{MARKS[finding.state]}  {name:<9}  {finding.text}{remedy}"


def main() -> None:
    """Parse the command line, check and print."""
    parser = cli.parser(main)
    names = [*CHECKS, "mirrors"]
    parser.add_argument("checks", nargs="*", metavar="CHECK", help=f"of {', '.join(names)} (all)")
    parser.add_argument("--params", type=Path, default=ROOT / "params.yaml", help="the experiment, for its data.urls")
    args = parser.parse_args()
    if unknown := [name for name in args.checks if name not in names]:
        raise cli.InputError(f"{unknown[0]} is not a check; there are {', '.join(names)}")
    problems = 0
    for name in args.checks or names:
        if name == "mirrors":
            data = load(args.params).data
            findings = mirrors(data.sources, data.bytes)
        else:
            findings = CHECKS[name](ROOT)
        for finding in findings:
            print(line(name, finding), flush=True)
        problems += sum(finding.state == "problem" for finding in findings)
    if problems:
        print(f"{problems} problem{'s' * (problems > 1)}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    cli.run(main)
