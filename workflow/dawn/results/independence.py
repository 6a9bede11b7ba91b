"""Whether the trainings of several seeds are independent of each other, as every interval over seeds supposes.

A training that continues from another's checkpoint shares all steps before it. So the metrics of a training have a
checksum of all that its first step changed, ``after_first_step``: it is equal only in trainings that share this step.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

from dawn.core.cli import InputError

NOT_OF_ONE = ("low", "high", "std")  # what one training does not have, however many endings it has
Training = Mapping[str, Any]  # metrics.json of a seed


def groups(values: Mapping[int, Hashable]) -> list[list[int]]:
    """Return the seeds that have a value in common, as lists of two or more; None is no value."""
    by_value = defaultdict(list)
    for seed, value in values.items():
        if value is not None:
            by_value[value].append(seed)
    return [seeds for seeds in by_value.values() if len(seeds) > 1]


def sharing(trainings: Iterable[Training]) -> list[list[int]]:
    """Return the seeds of trainings that share their first step, and so are parts of one training."""
    return groups({training["seed"]: training.get("after_first_step") for training in trainings})


def require_independent(name: str, trainings: Iterable[Training]) -> None:
    """Raise an InputError if some trainings of the result ``name`` share steps: no interval over them is right."""
    trainings = list(trainings)
    if shared := sharing(trainings):
        same = shared[0]
        raise InputError(
            f"{name}: {named(same)} share their first step, so they are one training and not {len(same)}, and no "
            f"interval over seeds holds; delete seed-{' and seed-'.join(map(str, same[1:]))} and train again"
        )


def without_intervals(value: Any) -> Any:
    """Return nested metrics with every ``low``, ``high`` and ``std`` set to None."""
    if isinstance(value, Mapping):
        return {name: None if name in NOT_OF_ONE else without_intervals(part) for name, part in value.items()}
    return value


def equal_losses(curves: Mapping[int, str]) -> list[list[int]]:
    """Return the seeds whose losses in the first epoch are equal; ``curves`` are the texts of curve.tsv by seed."""
    return groups({seed: first_losses(curve) for seed, curve in curves.items()})


def first_losses(curve: str) -> tuple[str, ...] | None:
    """Return the cells of the training losses in the first epoch of a curve.tsv, of any task; None without a row."""
    head, *rows = curve.splitlines() or [""]
    if not rows:
        return None
    return tuple(
        cell for name, cell in zip(head.split("\t"), rows[0].split("\t"), strict=False) if name.endswith("_loss")
    )


def suspicious(curves: Mapping[int, str]) -> list[str]:
    """Return a sentence for each group of seeds with equal losses, which independent trainings do not have."""
    return [
        f"{named(group)} have equal losses in their first epoch, to the last digit. Independent trainings do not: find "
        "out how they were made before any interval over them is used."
        for group in equal_losses(curves)
    ]


def independent(trainings: Iterable[Training]) -> int:
    """Return how many of the trainings are independent: those that share no first step with another.

    Where its checksum was not recorded, a training that did not begin at its first step counts as none.
    """
    starts = [(training.get("after_first_step"), training.get("first_step")) for training in trainings]
    known = {start for start, _ in starts if start is not None}
    return len(known) + sum(start is None and not first for start, first in starts)


def starting_points(trainings: Sequence[Training]) -> str:
    """Return how many trainings were independent and which continued from a checkpoint, in words."""
    known = [training for training in trainings if training.get("after_first_step")]
    text = f"independent trainings: {independent(trainings)} of {len(trainings)}"
    if len(known) < len(trainings):
        text += f" (the first step of {len(trainings) - len(known)} was not recorded)"
    continued = [f"{training['seed']} at step {training['first_step']}" for training in known if training["resumed"]]
    return text + f"; continued from their own checkpoints: seed {', '.join(continued)}" * bool(continued)


def named(numbers: Sequence[int]) -> str:
    """Return ``seeds 0, 1 and 5``."""
    *most, last = map(str, numbers)
    return f"seeds {', '.join(most)} and {last}"
