"""What a reproduction costs, before it starts: by the published clock, and by what was measured here."""

import statistics
from pathlib import Path

from dawn.config.records import OfSplits, Timing
from dawn.core.reading import read_json
from dawn.reproduction.publication import Publication
from dawn.studies.planning import CIFAR10, DRIFT, STARTS, Span, durations, predicted, spent


def cost(publication: Publication, place: Path, trainings: int) -> list[str]:
    """Return lines of what ``trainings`` more cost; ``place`` is the directory of the reproduction."""
    lines = []
    if published := of_published(publication):
        lines.append(
            f"published: {published:,.0f} s for a training with its evaluation, on {publication.hardware}; "
            f"{trainings} of them: {_priced(publication, (published, published), trainings)}"
        )
    if here := measured(publication, place):
        lines.append(f"measured here: {_priced(publication, here, trainings)} for {trainings} trainings at most")
    return lines or ["no time is published and none was measured here: --timing measures one"]


def of_published(publication: Publication) -> float | None:
    """Return the published seconds of a training, with its evaluation where that is known."""
    if publication.results:
        return statistics.fmean(spent(publication.results / f"seed-{seed}") for seed in publication.seeds)
    return publication.seconds.mean if publication.seconds else None


def measured(publication: Publication, place: Path) -> Span | None:
    """Return the seconds of a training here, at least and at most: by finished ones, else by dawn.timing."""
    experiment = publication.experiment
    seeds = [path.parent for path in place.glob("results/seed-*/evaluation.json")]
    if seeds:
        mean = statistics.fmean(map(spent, seeds))
        return DRIFT[0] * mean + STARTS[0], DRIFT[1] * mean + STARTS[1]
    timing, about = place / "results/timing.json", place / "data" / experiment.declared.about
    if not timing.is_file():
        return None
    counts = read_json(about, OfSplits)["counts"] if about.is_file() else CIFAR10
    seconds = predicted(read_json(timing, Timing), experiment, counts)
    return None if seconds is None else (seconds[0] + STARTS[0], seconds[1] + STARTS[1])


def _priced(publication: Publication, seconds: Span, trainings: int) -> str:
    """The time of several trainings, and what they cost where the price of an hour is known."""
    low, high = (trainings * end for end in seconds)
    price = publication.experiment.submission.cost_per_hour
    if price is None:
        return durations((low, high))
    return f"{durations((low, high))}, ${price * low / 3600:,.2f} to ${price * high / 3600:,.2f} at ${price:g} an hour"
