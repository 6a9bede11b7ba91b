"""Gather the seeds of an experiment into one set of metrics, each with its spread.

    python -m dawn.summarize --params results/params.yaml --model results/model.json --out results/metrics.json
        --plots results results/seed-0 results/seed-1 ...

Intervals are of 95 % (dawn.results.statistics); one seed and two have none, except that one seed has that over its
images where its evaluation holds one. The seeds are verified by their manifests first. Seeds of the experiment that are
not among the arguments are listed as ``missing_seeds``, those with a far too high loss (dawn/engine/high_loss.py) as
``seeds_with_high_loss``. dawn/tasks/<task>/summarize.py adds what only that task has.
"""

from pathlib import Path
from typing import Any

from dawn.config import registry
from dawn.config.experiment import Experiment, load
from dawn.config.records import Sizes
from dawn.core import cli
from dawn.core.files import write_json
from dawn.core.reading import read_json
from dawn.results.curve import mean_curve
from dawn.results.independence import require_independent
from dawn.results.manifest import check
from dawn.results.measures import MEASURES, over, over_seeds
from dawn.results.run import of_seeds

OF_TRAINING = ("seconds", "images_per_s", "peak_memory_bytes")
SIZES = ("parameters", "flops")


def summarize(experiment: Experiment, seeds: list[Path], model: dict[str, Any]) -> dict[str, Any]:
    """The metrics over the seeds; ``model`` is model.json."""
    evaluations, trainings = of_seeds(experiment.declared, seeds)
    require_independent(str(seeds[0].parent), trainings)
    measured = {measure.key: over_seeds(evaluations, measure) for measure in experiment.declared.measures}
    metrics: dict[str, Any] = {"seeds": len(seeds)} | {key: value for key, value in measured.items() if value}
    if registry.has(experiment.task, "summarize"):
        task = registry.module(experiment.task, "summarize")
        metrics |= task.summarize(experiment, seeds, evaluations, trainings, metrics)
    metrics |= {name: over([float(t[name]) for t in trainings], MEASURES[name]) for name in OF_TRAINING}
    price = experiment.submission.cost_per_hour
    dollars = [price * t["seconds"] / 3600 for t in trainings] if price else None
    metrics["dollars"] = over(dollars, MEASURES["dollars"]) if dollars else None
    metrics |= {name: model[name] for name in SIZES}
    for network, figures in model.items():
        if isinstance(figures, dict) and figures.keys() >= set(SIZES):
            metrics |= {f"{network}_{name}": figures[name] for name in SIZES}
    missing = [seed for seed in experiment.seeds if seed not in {t["seed"] for t in trainings}]
    high = [t["seed"] for t in trainings if t.get("high_loss")]
    return metrics | ({"missing_seeds": missing} if missing else {}) | ({"seeds_with_high_loss": high} if high else {})


def main() -> None:
    """Parse the command line, verify the seeds and write the metrics."""
    parser = cli.parser(main)
    cli.add_seeds(parser)
    cli.add_inputs(parser, "params")
    parser.add_argument("--model", type=Path, required=True, help="size and cost of the networks, JSON")
    cli.add_out(parser, "the metrics, JSON")
    parser.add_argument("--plots", type=Path, help="directory of curves.json and the task's other files (none)")
    args = parser.parse_args()
    experiment = load(args.params)
    for seed in args.seeds:
        check(experiment, seed)
    metrics = summarize(experiment, args.seeds, read_json(args.model, Sizes))
    if args.plots is not None:
        write_json(args.plots / "curves.json", mean_curve(seed / "curve.tsv" for seed in args.seeds))
        if registry.has(experiment.task, "summarize"):
            registry.module(experiment.task, "summarize").write(args.seeds, args.plots)
    write_json(args.out, metrics)


if __name__ == "__main__":
    cli.run(main)
