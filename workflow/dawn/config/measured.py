"""Whether a study can decide by its measure."""

from collections.abc import Mapping
from pathlib import Path

from dawn.config.experiment import Experiment
from dawn.config.study import MEASURES, Study
from dawn.core.cli import InputError

CURVES = ("accuracy", "loss")  # measures that are known after each epoch


def check_measure(
    path: Path, study: Study, measure: str, shared: Experiment, variants: Mapping[str, Experiment]
) -> None:
    """Refuse a measure that the task does not have, that is not measured, or without a difference that matters."""
    known = MEASURES[shared.task]
    if measure not in known:
        raise InputError(f"{path}: measure = {measure}: task {shared.task} has {', '.join(known)}")
    if study.difference is None and measure != "accuracy":
        raise InputError(f"{path}: measure = {measure} needs difference, the smallest one that matters")
    if study.budget and measure not in CURVES:
        raise InputError(f"{path}: budget is for measure {' or '.join(CURVES)}, which curve.tsv has by epoch; "
                         f"measure = {measure} is known at the end only")  # fmt: skip
    if study.split == "holdout":
        _check_holdout(path, measure, shared)
    if measure in ("psnr", "ssim") and not shared.domains.paired:
        raise InputError(f"{path}: measure = {measure} needs a truth, and domains.kind classes has none")
    if shared.task == "cycle" and measure in ("kid", "target_accuracy") and not shared.has_judges:
        raise InputError(
            f"{path}: measure = {measure} needs judges, which only domains.kind classes with a judge.preset has"
        )
    if measure == "critic_gap_distance" and not shared.data.holdout:
        raise InputError(f"{path}: measure = {measure} needs held-out images; set data.holdout in settings")
    for name, experiment in variants.items():
        if measure == "cas" and not experiment.measures.cas:
            raise InputError(f"{path}: measure = cas: variant {name} does not measure it; set measures.cas")


def _check_holdout(path: Path, measure: str, shared: Experiment) -> None:
    """Refuse to decide on the hold-out where it is not measured, or where there is none."""
    if measure not in CURVES:
        raise InputError(f"{path}: split: holdout is for measure {' or '.join(CURVES)}; measure = {measure} is of the "
                         "test split only")  # fmt: skip
    if not shared.data.holdout:
        raise InputError(f"{path}: split: holdout needs images held out of train; set data.holdout in settings")
