"""Seal the files of a trained and evaluated seed: what they were made by, and the checksum of each.

    python -m dawn.manifest --params results/params.yaml --seed results/seed-0 --out results/manifests/0.json

Refuses weights whose header names other choices than the experiment's. dawn.summarize compares the files with their
manifest: a file that was edited, or that another experiment left, does not match it. The manifests lie in one directory
because a stage of DVC can depend on a directory, but not on a list of files that is as long as params.yaml says.
"""

from pathlib import Path

from dawn.config.experiment import load
from dawn.core import cli
from dawn.core.files import write_json
from dawn.results.manifest import manifest


def main() -> None:
    """Parse, manifest, write."""
    parser = cli.parser(main)
    parser.add_argument("--params", type=Path, required=True, help="the experiment, YAML")
    parser.add_argument("--seed", type=Path, required=True, help="directory of a seed")
    parser.add_argument("--out", type=Path, required=True, help="the manifest, JSON")
    args = parser.parse_args()
    write_json(args.out, manifest(load(args.params), args.seed))


if __name__ == "__main__":
    cli.run(main)
