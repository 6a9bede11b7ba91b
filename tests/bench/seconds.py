"""The seconds of whole commands, in turn, so that a machine whose speed drifts shows in the spread.

    python tests/bench/seconds.py --repeats 3 "demo=make demo" --before "rm -rf demo"
    python tests/bench/seconds.py "binary=python -m dawn.arrays --archive c.tar.gz --layout binary --out {new}"

Each argument is a name and a command, which is run by the shell in the working directory; {new} is an empty directory,
another for each run. --before is run before each and not timed. A command that fails ends the benchmark.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from dawn.core import cli
from dawn.results import measurement


def seconds(command: str, before: str | None) -> float:
    """Return the seconds of one run of a command."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with tempfile.TemporaryDirectory() as new:
        if before:
            subprocess.run(before, shell=True, check=True)
        start = time.perf_counter()
        done = subprocess.run(
            command.replace("{new}", new), shell=True, capture_output=True, text=True, env=os.environ | {"PATH": path},
            check=False,
        )  # fmt: skip
        taken = time.perf_counter() - start
    if done.returncode:
        sys.exit(f"{command} failed:\n{done.stderr}")
    return taken


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("commands", nargs="+", metavar="NAME=COMMAND")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--before", metavar="COMMAND")
    cli.add_measurement(parser)
    args = parser.parse_args()
    commands = dict(command.split("=", 1) for command in args.commands)
    found: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(args.repeats):
        for name, command in commands.items():
            found[name].append(seconds(command, args.before))
    rows = []
    for name, each in found.items():
        print(f"{name}: {statistics.median(each):.2f} s ({min(each):.2f} to {max(each):.2f}, {len(each)} runs)")
        rows += measurement.repetitions([{"seconds": one} for one in each], name)
    measurement.save(args.measurement, "seconds of whole commands", rows)


if __name__ == "__main__":
    main()
