"""Evaluate the result of a training on the test split, and write the manifest of the seed.

    python -m dawn.evaluate --params params.yaml --data data --stats data/stats.json
        --model results/seed-0/model.safetensors --out results/seed-0 --manifest results/manifests/0.json

Writes evaluation.json and what dawn/tasks/<task>/evaluate.py adds. With --manifest also the manifest of the seed: the
choices that made its files, those of its training included, and the checksum of each. Whoever reads the files verifies
them by it. The manifests of all seeds are in one directory, since a DVC stage can depend on a directory, but not on a
list of files whose length params.yaml decides.
"""

from pathlib import Path

from dawn.config import registry
from dawn.config.experiment import load
from dawn.core import cli
from dawn.core.files import write_json
from dawn.results.manifest import choices, header, manifest, require_same_settings
from dawn.runtime.distributed import joined


def main() -> None:
    """Parse the command line and evaluate; the first process writes the files and then the manifest."""
    parser = cli.parser(main)
    cli.add_inputs(parser, "params", "data")
    parser.add_argument("--stats", type=Path, help="channel statistics, JSON, for a classifier or the judges")
    parser.add_argument("--model", type=Path, required=True, help="the trained weights, safetensors")
    parser.add_argument("--judges", type=Path, nargs="+", help="directories of the judges' seeds (none)")
    parser.add_argument("--references", type=Path, help="what the judges make of reference images, JSON (none)")
    parser.add_argument("--cas", type=Path, help="directory of a classifier trained on samples, evaluated (none)")
    cli.add_out(parser, "directory of the seed's results")
    parser.add_argument("--manifest", type=Path, help="the manifest of the seed, JSON (none)")
    args = parser.parse_args()
    if args.manifest and args.model.resolve() != (args.out / "model.safetensors").resolve():
        raise cli.InputError(f"--manifest is for the seed's own weights {args.out}/model.safetensors, not {args.model}")
    experiment = load(args.params)
    require_same_settings(args.model, header(args.model), choices(experiment, *experiment.trained_by))
    with joined(experiment.run) as world:
        result = registry.module(experiment.task, "evaluate").evaluate(args, experiment, world)
        if world.first:
            write_json(args.out / "evaluation.json", result)
            if args.manifest:
                write_json(args.manifest, manifest(experiment, args.out))


if __name__ == "__main__":
    cli.run(main)
