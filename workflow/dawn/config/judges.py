"""The judges of a GAN or CycleGAN: classifiers that measure what it makes, trained as an experiment of their own."""

from pathlib import Path

from dawn.config.experiment import Experiment, check, merge, read
from dawn.core.cli import InputError


def judges(experiment: Experiment, params: Path, presets: Path) -> Experiment:
    """The experiment of the judges: params.yaml merged with their preset, on the data of the experiment."""
    name = experiment.judge.preset
    preset = presets / f"{name}.yaml"
    if not preset.is_file():
        known = ", ".join(sorted(path.stem for path in presets.glob("*.yaml")))
        raise InputError(f"judge.preset = {name}: no such preset; presets: {known}")
    shared = experiment.model_dump(mode="json", include={"data", "run", "submission"})
    values = merge(read(params), read(preset)) | shared
    return check({**values, "task": "classify", "seeds": list(experiment.judge.seeds)}, f"judge.preset = {name}")
