"""Whether a study can decide by its measure."""

from collections.abc import Mapping
from pathlib import Path

from dawn.config.experiment import Experiment
from dawn.config.study import Study
from dawn.core.cli import InputError


def check_measure(
    path: Path, study: Study, measure: str, shared: Experiment, variants: Mapping[str, Experiment]
) -> None:
    """Refuse a measure that the task does not have, that is not measured, or without a difference that matters."""
    known = shared.declared.deciding
    if measure not in known:
        raise InputError(f"{path}: measure = {measure}: task {shared.task} has {', '.join(known)}")
    if study.difference is None and measure != "accuracy":
        raise InputError(f"{path}: measure = {measure} needs difference, the smallest one that matters")
    by_epoch = [key for key, declared in known.items() if declared.by_epoch]
    if study.budget and measure not in by_epoch:
        raise InputError(f"{path}: budget is for measure {_either(by_epoch)}, which curve.tsv has by epoch; "
                         f"measure = {measure} is known at the end only")  # fmt: skip
    if study.split == "holdout":
        _check_holdout(path, measure, by_epoch, shared)
    faults = {name: shared.declared.measurable(known[measure], variant) for name, variant in variants.items()}
    for name, fault in faults.items():
        if fault:
            where = "" if all(faults.values()) else f"variant {name}: "
            raise InputError(f"{path}: {where}measure = {measure} {fault}")


def _either(measures: list[str]) -> str:
    return " or ".join(measures) or "of classifiers"


def _check_holdout(path: Path, measure: str, by_epoch: list[str], shared: Experiment) -> None:
    """Refuse to decide on the hold-out where it is not measured, or where there is none."""
    if measure not in by_epoch:
        raise InputError(f"{path}: split: holdout is for measure {_either(by_epoch)}; measure = {measure} is of the "
                         "test split only")  # fmt: skip
    if not shared.data.holdout:
        raise InputError(f"{path}: split: holdout needs images held out of train; set data.holdout in settings")
