"""Write one page about a finished run of a GAN: what was trained, its measures, seeds, settings, machine, provenance.

    python -m dawn.gan_summary --params results/params.yaml --metrics results/metrics.json
        --provenance results/provenance.json --root . --plots results/plots --out results/summary.md results/seed-0 ...

Writes Markdown, and the same as HTML next to it. The settings are shown by their difference from the nearest known
experiment: params.yaml as committed, or a preset. The files of the seeds are verified by their manifests.
"""

from pathlib import Path

from dawn.config.experiment import load
from dawn.core import cli
from dawn.core.files import read_json, write_text
from dawn.report import gan
from dawn.report.origin import equal_seeds, origin, times
from dawn.report.page import Heading, markdown, web
from dawn.report.settings import experiment
from dawn.results.manifest import verify


def main() -> None:
    """Parse the command line, verify the seeds, read and write."""
    parser = cli.parser(main)
    cli.add_seeds(parser)
    cli.add_inputs(parser, "params")
    parser.add_argument("--metrics", type=Path, required=True, help="the metrics over the seeds, JSON")
    parser.add_argument("--provenance", type=Path, required=True, help="code, data and machine of the run, JSON")
    parser.add_argument("--plots", type=Path, help="directory of the figures of dawn.gan_plot (no figures)")
    cli.add_root(parser)
    cli.add_out(parser, "the page, Markdown; HTML is written next to it")
    args = parser.parse_args()
    for seed in args.seeds:
        verify(seed, ("curve.tsv", "evaluation.json", "metrics.json"))
    evaluations, trainings = (
        [read_json(seed / name) for seed in args.seeds] for name in ("evaluation.json", "metrics.json")
    )
    settings, provenance = load(args.params), read_json(args.provenance)
    claim = gan.claim(evaluations, read_json(args.metrics))
    blocks = [
        Heading(claim, 1),
        *gan.about(settings, evaluations, trainings, provenance["data"]),
        *gan.reading(evaluations),
        *equal_seeds(args.seeds),
        *gan.images(args.plots),
        *gan.measures_table(evaluations),
        *gan.seeds_table(evaluations, trainings),
        *gan.classes_table(evaluations),
        *gan.judges_list(evaluations),
        *experiment(settings, args.root),
        *times(trainings),
        *origin(provenance, trainings),
    ]
    write_text(args.out.with_suffix(".html"), web(claim, blocks))
    write_text(args.out, markdown(blocks, args.out.parent))


if __name__ == "__main__":
    cli.run(main)
