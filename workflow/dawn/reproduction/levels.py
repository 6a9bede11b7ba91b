"""The two levels of a reproduction: the first seed trained again, and new seeds until their mean has an answer."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from dawn.reproduction.analyses import looks
from dawn.reproduction.publication import Publication
from dawn.reproduction.replay import Replay, compare
from dawn.reproduction.verdict import Answer, decide
from dawn.reproduction.work import Work
from dawn.results.measures import value


class NewSeed(NamedTuple):
    """A new seed with its value of the measure, and its seconds of training."""

    seed: int
    value: float
    seconds: float


def replayed(work: Work, of: Publication) -> Replay | None:
    """Train the first published seed again, and compare it with its files, where there are some."""
    if of.results is None:
        return None
    seed = of.seeds[0]
    work.train([seed])
    return compare(of.results / f"seed-{seed}", work.seed(seed), of.experiment.declared)


def answered(
    work: Work, of: Publication, seeds: Sequence[int], margin: float, say: Callable[[str], None]
) -> tuple[list[NewSeed], Answer | None]:
    """Train new seeds, one analysis after another, until one decides; a single published training has no analyses."""
    new: list[NewSeed] = []
    answer: Answer | None = None
    counts = [len(seeds)] if of.values.n == 1 else looks(of.values, margin, len(seeds)) or [len(seeds)]
    for count in counts if seeds else ():
        new = trained(work, of, seeds[:count])
        answer = decide(of.values, [row.value for row in new], margin, of.measure.scale)
        say(f"after {count} new seeds: {answer.text}")
        if answer.verdict != "undecided":
            break
    return new, answer


def trained(work: Work, of: Publication, seeds: Sequence[int]) -> list[NewSeed]:
    """Train seeds, those that are not there yet."""
    work.train(seeds)
    evaluations, trainings = work.results(seeds)
    values = [float(value(evaluation, of.measure.key) or 0) for evaluation in evaluations]
    return [NewSeed(seed, number, float(training["seconds"]))
            for seed, number, training in zip(seeds, values, trainings, strict=True)]  # fmt: skip
