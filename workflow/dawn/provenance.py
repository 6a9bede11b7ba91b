"""Record the provenance of a result: code, lock files, data, packages, machine.

    python -m dawn.provenance --root . --data data --out results/provenance.json results/seed-0 results/seed-1

Machine and packages are those of the trainings, by the metrics.json of each seed; without seeds, those of this machine.
Imports no torch.
"""

from pathlib import Path

from dawn.config.records import Dataset, Domains, Training
from dawn.core import cli
from dawn.core.files import write_json
from dawn.core.reading import read_json
from dawn.results.provenance import collect


def main() -> None:
    """Parse the command line, collect and write."""
    parser = cli.parser(main)
    cli.add_root(parser)
    cli.add_inputs(parser, "data")
    parser.add_argument("--about", default="dataset.json", help="file of --data that describes it (%(default)s)")
    cli.add_out(parser, "the provenance, JSON")
    parser.add_argument("seeds", type=Path, nargs="*", help="directories of the trained seeds (none)")
    args = parser.parse_args()
    trainings = [read_json(seed / "metrics.json", Training) for seed in args.seeds]
    data = read_json(args.data / args.about, Domains if args.about == "domains.json" else Dataset)
    write_json(args.out, collect(args.root, trainings) | {"data": data})


if __name__ == "__main__":
    cli.run(main)
