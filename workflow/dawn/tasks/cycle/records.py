"""The JSON files of a CycleGAN's seeds as types."""

from pydantic import StrictStr

from dawn.config import records
from dawn.config.records import Entry, Judge, Least1, Record
from dawn.core.reading import Count, Number, Positive


class Training(records.Training):
    """metrics.json of a seed."""

    parameters: Count
    epochs: Positive


class WithNoise(Entry):
    """The cycle error with noise of so many levels on the translation."""

    noise: Number


class Measures(records.Measures):
    """The measures that every page has."""

    cycle_error: Entry
    cycle_error_noise: WithNoise


class Images(Record):
    """How many test images each domain has."""

    a: Least1
    b: Least1


class Along(Record):
    """What the judges make of a few translations along the training."""

    target_accuracy: Number
    kid: Number


class Evaluation(records.Evaluation):
    """evaluation.json of a seed."""

    names: tuple[StrictStr, StrictStr]
    images: Images
    measures: Measures
    judges: list[Judge]
    progress: tuple[Along, ...] = ()
