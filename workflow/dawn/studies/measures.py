"""What a study can compare: those of the declared quantities by which it can decide."""

from dawn.config import registry
from dawn.config.task import Measure

MEASURES: dict[str, Measure] = {key: measure for key, measure in registry.measures().items() if measure.decides}
