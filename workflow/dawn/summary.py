"""Write one page about a finished run: its result, its seeds, its settings, its times, its machine and provenance.

    python -m dawn.summary --params results/params.yaml --metrics results/metrics.json
        --provenance results/provenance.json --root . --plots results/plots --out results/summary.md results/seed-0 ...

Writes Markdown, and the same as HTML next to it. The settings are shown by their difference from the nearest known
experiment: params.yaml as committed, or a preset. The files of the seeds are verified by their manifests. The result is
written by dawn/tasks/<task>/summary.py or, where there is none, by the measures that the task declares.
"""

from pathlib import Path

from dawn.config import registry
from dawn.config.experiment import load
from dawn.core import cli
from dawn.core.files import write_text
from dawn.report import measured
from dawn.report.page import Heading, markdown, web
from dawn.report.settings import experiment as settings
from dawn.results.manifest import verify
from dawn.results.run import Run


def main() -> None:
    """Parse the command line, verify the seeds, read and write."""
    parser = cli.parser(main)
    cli.add_seeds(parser)
    cli.add_inputs(parser, "params")
    parser.add_argument("--metrics", type=Path, required=True, help="the metrics over the seeds, JSON")
    parser.add_argument("--provenance", type=Path, required=True, help="code, data and machine of the run, JSON")
    parser.add_argument("--plots", type=Path, help="directory of the figures of dawn.plot (no figures)")
    cli.add_root(parser)
    cli.add_out(parser, "the page, Markdown; HTML is written next to it")
    args = parser.parse_args()
    for seed in args.seeds:
        verify(seed, ("curve.tsv", "evaluation.json", "metrics.json"))
    run = Run.of_files(load(args.params), args.seeds, args.metrics, args.provenance, args.plots)
    task = registry.module(run.experiment.task, "summary") if registry.has(run.experiment.task, "summary") else measured
    claim = task.claim(run)
    blocks = [
        Heading(claim, 1),
        *measured.high_losses(run.trainings),
        *task.result(run),
        *settings(run.experiment, args.root),
        *measured.times(run.trainings),
        *measured.origin(run.provenance, run.trainings),
    ]
    write_text(args.out.with_suffix(".html"), web(claim, blocks))
    write_text(args.out, markdown(blocks, args.out.parent))


if __name__ == "__main__":
    cli.run(main)
