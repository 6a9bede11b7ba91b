"""Write one page about a finished run: its result, its seeds, its settings, its times, its machine and provenance.

    python -m dawn.summary --params results/params.yaml --metrics results/metrics.json
        --provenance results/provenance.json --root . --out results/summary.md results/seed-0 results/seed-1 ...

Writes Markdown, and the same as HTML next to it. The settings are shown by their difference from the nearest known
experiment: params.yaml as committed, or a preset. The files of the seeds are verified by their manifests.
"""

from pathlib import Path

from dawn.config.experiment import load
from dawn.core import cli
from dawn.core.files import read_json, write_text
from dawn.report.origin import equal_seeds, origin, times
from dawn.report.page import Heading, markdown, web
from dawn.report.result import Seed, claim, result, seeds_table
from dawn.report.settings import experiment
from dawn.results.curve import at_target, read_curve
from dawn.results.manifest import verify


def read_seed(path: Path, target: float) -> Seed:
    """What the page shows of the seed whose results are in ``path``."""
    verify(path, ("curve.tsv", "evaluation.json", "metrics.json"))
    training, curve = read_json(path / "metrics.json"), read_curve(path / "curve.tsv")
    reached = at_target(curve, target)
    accuracy = read_json(path / "evaluation.json")["accuracy"]
    return Seed(training["seed"], accuracy, training["seconds"], None if reached is None else reached.seconds)


def main() -> None:
    """Parse the command line, read and write."""
    parser = cli.parser(main)
    cli.add_seeds(parser)
    cli.add_inputs(parser, "params")
    parser.add_argument("--metrics", type=Path, required=True, help="the metrics over the seeds, JSON")
    parser.add_argument("--provenance", type=Path, required=True, help="code, data and machine of the run, JSON")
    cli.add_root(parser)
    cli.add_out(parser, "the page, Markdown; HTML is written next to it")
    args = parser.parse_args()
    metrics = read_json(args.metrics)
    seeds = [read_seed(path, metrics["target"]["accuracy"]) for path in args.seeds]
    trainings = [read_json(path / "metrics.json") for path in args.seeds]
    blocks = [
        Heading(claim(metrics), 1),
        *result(metrics),
        *equal_seeds(args.seeds),
        *seeds_table(metrics, seeds),
        *experiment(load(args.params), args.root),
        *times(trainings),
        *origin(read_json(args.provenance), trainings),
    ]
    write_text(args.out.with_suffix(".html"), web(claim(metrics), blocks))
    write_text(args.out, markdown(blocks))


if __name__ == "__main__":
    cli.run(main)
