"""Seal the files of a trained and evaluated seed: what they were made by, and the checksum of each.

    python -m dawn.seal --params results/params.yaml --seed results/seed-0 --out results/seals/0.json

Refuses weights whose header names other choices than the experiment's. dawn.summarize asks the seals: a file that was
edited, or that another experiment left, does not fit its seal. The seals lie in one directory because a stage of DVC
can depend on a directory, but not on a list of files that is as long as params.yaml says.
"""

from pathlib import Path

from dawn import cli
from dawn.config.experiment import load
from dawn.files import write_json
from dawn.seals import seal


def main() -> None:
    """Parse, seal, write."""
    parser = cli.parser(main)
    parser.add_argument("--params", type=Path, required=True, help="the experiment, YAML")
    parser.add_argument("--seed", type=Path, required=True, help="directory of a seed")
    parser.add_argument("--out", type=Path, required=True, help="the seal, JSON")
    args = parser.parse_args()
    write_json(args.out, seal(load(args.params), args.seed))


if __name__ == "__main__":
    cli.run(main)
