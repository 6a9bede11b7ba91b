"""Draw the results of an experiment: the figures that its task declares, each a PNG.

    python -m dawn.plot --params results/params.yaml --data data --out results/plots results/seed-0 results/seed-1 ...

Only reads files, which the manifests of the seeds verify: no network runs, and torch is not imported.
"""

from dawn.config import registry
from dawn.config.experiment import load
from dawn.core import cli
from dawn.report.style import save
from dawn.results.manifest import verify


def main() -> None:
    """Parse the command line, verify the seeds and draw."""
    parser = cli.parser(main)
    cli.add_seeds(parser)
    cli.add_inputs(parser, "params", "data")
    cli.add_out(parser, "directory of the figures")
    args = parser.parse_args()
    experiment = load(args.params)
    for seed in args.seeds:
        verify(seed)
    drawn = registry.module(experiment.task, "plot").figures(args.seeds, experiment, args.data)
    for figure in experiment.declared.figures:
        save(drawn[figure.name](), args.out / f"{figure.name}.png")


if __name__ == "__main__":
    cli.run(main)
