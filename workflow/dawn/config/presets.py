"""Experiments that start from a preset: studies, searches, and the judges of a GAN or CycleGAN."""

from pathlib import Path
from typing import Any

from dawn.config.experiment import Experiment, check, merge, read
from dawn.core.cli import InputError


def with_preset(params: Path, presets: Path, name: str | None, setting: str) -> dict[str, Any]:
    """Merge params.yaml with a preset, if one is named, by the setting that the message names."""
    if name is None:
        return read(params)
    preset = presets / f"{name}.yaml"
    if not preset.is_file():
        known = ", ".join(sorted(path.stem for path in presets.glob("*.yaml")))
        raise InputError(f"{setting} = {name}: no such preset; presets: {known}")
    return merge(read(params), read(preset))


def judges(experiment: Experiment, params: Path, presets: Path) -> Experiment:
    """Return the experiment of the classifiers that measure another one, on the same data, trained by themselves."""
    name = experiment.judge.preset
    shared = experiment.model_dump(mode="json", include={"data", "run", "submission"})
    values = with_preset(params, presets, name, "judge.preset") | shared
    return check({**values, "task": "classify", "seeds": list(experiment.judge.seeds)}, f"judge.preset = {name}")
