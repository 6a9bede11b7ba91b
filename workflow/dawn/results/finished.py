"""What is finished in a directory of results: for what uses it, and before it is replaced."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from dawn.config.experiment import Experiment, flat, load
from dawn.config.records import Manifest
from dawn.core.cli import InputError
from dawn.core.reading import read_json
from dawn.results.manifest import choices, location

SHOWN = 3  # settings that a line names


def finished(run: Path) -> Experiment:
    """Return the experiment of a directory of results; an InputError unless all its seeds are finished."""
    if not (run / "params.yaml").is_file() or not any(run.glob("seed-*/model.safetensors")):
        raise InputError(f"{run} has no trained network")
    experiment = load(run / "params.yaml")
    require(run, experiment, experiment.seeds)
    return experiment


def require(run: Path, experiment: Experiment, seeds: Iterable[int]) -> None:
    """Refuse unless these seeds are finished, with the settings of the experiment."""
    wanted = choices(experiment, *experiment.decided_by)
    for seed in (run / f"seed-{number}" for number in seeds):
        made = made_by(seed)
        if made is None or not (seed / "model.safetensors").is_file():
            raise InputError(f"{seed} is not finished")
        if different := changes(made, wanted):
            raise InputError(f"{seed} is of other settings ({different})")


def made_by(seed: Path) -> dict[str, Any] | None:
    """Return the settings in the manifest of a seed; None where it has none."""
    path = location(seed)
    return settings_of(path) if path.is_file() else None


def settings_of(manifest: Path) -> dict[str, Any]:
    """Return the settings in a manifest, by their sections, of which ``data`` is one."""
    made: dict[str, Any] = read_json(manifest, Manifest)["choices"]
    return made


def changes(made: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Say what differs between settings: ``train.epochs: 2, now 3``; empty where nothing does.

    A setting that one of them lacks is of another version of the code.
    """
    before, after = flat(made), flat(now)
    keys = [key for key in after if key in before and before[key] != after[key]]
    shown = [f"{key}: {before[key]}, now {after[key]}" for key in keys[:SHOWN]]
    return "; ".join([*shown, *([f"{len(keys) - SHOWN} more"] if len(keys) > SHOWN else [])])


def other_images(made: Mapping[str, Any], now: Mapping[str, Any], moved: bool = False) -> bool:
    """Return whether two sections of data are of different images: by checksum, or by place where one is unknown.

    Settings have only the name of a local path; ``moved`` says that it was in another folder.
    """
    if made.get("sha256") and now["sha256"]:
        return bool(made["sha256"] != now["sha256"])
    return moved or list(made["urls"]) != list(now["urls"])
