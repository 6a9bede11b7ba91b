"""Record the provenance of a result: code, lock files, data, packages, machine.

    python -m dawn.provenance --root . --data data --out results/provenance.json

Reads the package metadata, git and nvidia-smi; imports no torch.
"""

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
    args = parser.parse_args()
    data = read_json(args.data / args.about)
    write_json(args.out, collect(args.root) | {"data": data})


if __name__ == "__main__":
    cli.run(main)
