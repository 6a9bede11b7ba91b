"""The JSON files of a GAN's training as types."""

from dawn.config import records
from dawn.config.records import Least1
from dawn.core.reading import Count, Positive


class Training(records.Training):
    """metrics.json of a seed."""

    parameters: Count
    epochs: Positive
    generator_steps: Least1
