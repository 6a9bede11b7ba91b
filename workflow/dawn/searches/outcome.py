"""The result of a search's training: the hold-out accuracy after its last epoch, also where it diverged."""

from pathlib import Path

from dawn.config.experiment import load
from dawn.core.cli import InputError
from dawn.core.files import write_json
from dawn.core.reading import read_json


def write_outcome(trial: Path, seed: int, diverged: bool) -> None:
    """Write trial.json, and delete the weights, since a search keeps none."""
    trained = trial / f"seed-{seed}"
    result = {"accuracy": None, "loss": None, "seconds": 0.0}
    if not diverged:
        metrics = read_json(trained / "metrics.json")
        if metrics["monitored"] != "holdout":
            raise InputError(f"{trained}/metrics.json has accuracies of the {metrics['monitored']} split, not of the "
                             "hold-out split; set data.holdout")  # fmt: skip
        result = {key: metrics[key] for key in result}
    experiment = load(trial / "params.yaml")
    write_json(trial / "trial.json", result | {"cause": experiment.text(*experiment.trained_by)})
    (trained / "model.safetensors").unlink(missing_ok=True)
