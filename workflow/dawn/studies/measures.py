"""What a study can compare: those of the declared quantities that its tasks have."""

from dawn.config.study import MEASURES as OF_TASK
from dawn.results import measures
from dawn.results.measures import Measure

MEASURES: dict[str, Measure] = {
    key: measure for key, measure in measures.MEASURES.items() if any(key in keys for keys in OF_TASK.values())
}
