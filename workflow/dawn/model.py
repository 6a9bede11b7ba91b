"""Describe the networks of an experiment: parameters, FLOPs and output shape of each layer, and their initial weights.

    python -m dawn.model --params params.yaml --data data --out results/model.json --text results/model.txt

dawn/tasks/<task>/model.py, or train.py where there is none, describes them. FLOPs are those of one image's forward
pass as torch counts them: a multiplication and an addition are two.
"""

from pathlib import Path

from dawn.config import registry
from dawn.config.experiment import load
from dawn.config.records import Named
from dawn.core import cli
from dawn.core.files import write_json, write_text
from dawn.core.reading import read_json


def main() -> None:
    """Parse, build, count, write."""
    parser = cli.parser(main)
    cli.add_inputs(parser, "params")
    parser.add_argument("--data", type=Path, help="directory of the arrays, for the number of classes (else 10)")
    parser.add_argument("--size", type=int, default=32, help="height and width of the image (32)")
    cli.add_out(parser, "the figures, JSON")
    parser.add_argument("--text", type=Path, help="the tables, text")
    args = parser.parse_args()
    experiment = load(args.params)
    task = registry.module(experiment.task, "model" if registry.has(experiment.task, "model") else "train")
    dataset = args.data / "dataset.json" if args.data else None
    classes = len(read_json(dataset, Named)["classes"]) if dataset and dataset.exists() else 10
    figures = task.describe(experiment, classes, args.size)
    if args.text is not None:
        write_text(args.text, task.text(figures))
    write_json(args.out, figures)


if __name__ == "__main__":
    cli.run(main)
