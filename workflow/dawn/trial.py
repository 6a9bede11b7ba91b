"""Write the result of a search's training: the hold-out accuracy after its last epoch, also where it diverged.

    python -m dawn.trial results/searches/peak/round-0/rung-1/trial-7 --seed 0 --exit-code 0

``--exit-code`` is that of dawn.train: 0, or 76 for a loss that is not finite; with any other this command ends as well.
Writes trial.json, and deletes the weights, since a search keeps none.
"""

import sys
from pathlib import Path

from dawn.config.experiment import load
from dawn.core import cli
from dawn.core.files import read_json, write_json
from dawn.engine.shutdown import DIVERGED


def main() -> None:
    """Parse the command line, read, write."""
    parser = cli.parser(main)
    parser.add_argument("trial", type=Path, help="directory of the training: params.yaml and seed-N")
    parser.add_argument("--seed", type=int, required=True, help="the training's seed")
    parser.add_argument("--exit-code", type=int, required=True, help="of dawn.train")
    args = parser.parse_args()
    if args.exit_code not in (0, DIVERGED):
        sys.exit(args.exit_code)
    seed = args.trial / f"seed-{args.seed}"
    result = {"accuracy": None, "loss": None, "seconds": 0.0}
    if args.exit_code == 0:
        metrics = read_json(seed / "metrics.json")
        if metrics["monitored"] != "holdout":
            raise cli.InputError(f"{seed}/metrics.json has accuracies of the {metrics['monitored']} split, not of the "
                                 "hold-out split; set data.holdout")  # fmt: skip
        result = {key: metrics[key] for key in result}
    experiment = load(args.trial / "params.yaml")
    write_json(args.trial / "trial.json", result | {"cause": experiment.text(*experiment.trained_by)})
    (seed / "model.safetensors").unlink(missing_ok=True)


if __name__ == "__main__":
    cli.run(main)
