"""A study as a page: the question, the verdicts, figures, tables, how to read them, what they came out of."""

from collections.abc import Sequence
from pathlib import Path

from dawn.report.numbers import count, p_value
from dawn.report.page import Block, Bullets, Heading, Image
from dawn.results.independence import suspicious
from dawn.results.outliers import AT_CHANCE, NOT_SHOWN, apart, at_chance, too_even
from dawn.studies import assumptions, origin, secondary, tables
from dawn.studies.from_curves import words
from dawn.studies.measures import MEASURES
from dawn.studies.outcome import Outcome
from dawn.studies.sentences import sentence, single

NOTES = (
    "Intervals are of 95 %. That of a difference holds for its comparison, whichever analysis ended it. An adjusted "
    "p-value holds for all comparisons and analyses of the study together, those that were deleted too.",
    "Each verdict has its own test. Better and worse: the p of no difference is below 0.05. Not worse, or not better, "
    "by the difference that matters: the one-sided p of being worse, or better, by so much or more is below 0.05, and "
    "the 95 % lower or upper bound is on this side of it. Within: both. The two-sided interval is wider.",
    "The interval of a variant is over its seeds, three or more; of a GAN with one seed it is over the images alone.",
    "A difference is paired by seed where equal seeds give equal batches, and Welch's otherwise.",
    "The seeds are the chance in a training. The test images are the same for all, so these intervals say nothing of "
    "other images; the table of other images has one that does, where the measure is a mean over the images.",
    "A seed is better: the probability that a seed of the variant is better than one of the other; 50 % is none.",
)


def blocks(outcome: Outcome, figures: Sequence[tuple[Path, str]]) -> list[Block]:
    """The page of a finished study."""
    verdicts = [sentence(verdict, outcome.measure) for verdict in outcome.verdicts]
    measured = outcome.verdicts, outcome.results, outcome.measure
    return [
        Heading(outcome.about["question"], 1),
        Bullets([*verdicts, *filter(None, map(single, outcome.further)), *progress(outcome)]),
        tables.comparisons(outcome.verdicts, outcome.measure),
        *(Image(path, text) for path, text in figures),
        *described(outcome),
        *([more] if (more := secondary.further(outcome.further, outcome.measure)) else []),
        *([] if outcome.on_holdout else [secondary.other_differences(*measured)]),
        Heading("How to read it"),
        Bullets([*tables.disagreements(outcome.results), *NOTES]),
        Heading("Provenance"),
        Bullets(origin.lines(outcome.results)),
    ]


def partial(outcome: Outcome) -> list[Block]:
    """The page of a study that is not finished: what was measured, and no verdict."""
    return [
        Heading(outcome.about["question"], 1),
        Bullets(["Not finished, so without verdicts: " + "; ".join(outcome.lacking) + ".", *outcome.unplanned]),
        *described(outcome),
        Heading("Provenance"),
        Bullets(origin.lines(outcome.results)),
    ]


def described(outcome: Outcome) -> list[Block]:
    """The tables of the variants, and what to beware of."""
    results, measure = outcome.results, outcome.measure
    against = secondary.contradictions(outcome.verdicts, results, measure)
    beware = [*against, *suspects(outcome), *origin.warnings(results)]
    others = None if outcome.on_holdout else secondary.others(results, measure)
    rest = [others, tables.targets(results), tables.cost(results)]
    found = [table for table in rest if table is not None and len(table.heads) > 1]
    return [tables.measured(results, measure), *([Bullets(beware)] if beware else []), *found]


def progress(outcome: Outcome) -> list[str]:
    """How often the study was analysed, and what was not as it was planned."""
    counts, found = outcome.counts, []
    if outcome.on_holdout:
        found.append("Compared on the hold-out after the last epoch, without test-time augmentation. The test split "
                     "decides nothing.")  # fmt: skip
    if budget := outcome.about.get("budget"):
        found.append(f"Compared at an equal budget of {words(budget)}: the learning curves between the ends of epochs, "
                     "and the last value of a training that spent less. A learning rate that falls with the planned "
                     "epochs has not fallen there.")  # fmt: skip
    if outcome.other_plans:
        plans = "; ".join(outcome.other_plans)
        found.append(f"Extended without a plan: results were seen when {plans} seeds were planned. The verdicts are by "
                     "anytime-valid tests, whose intervals are wider.")  # fmt: skip
    elif len(counts) > 1:
        made = max((verdict.analysis for verdict in outcome.verdicts), default=0) + 1
        seeds = ", ".join(map(str, counts[:made]))
        found.append(f"{made} of {len(counts)} planned analyses were made, at {seeds} of at most {counts[-1]} seeds.")
    return [*found, *assumptions.lines(outcome.about, outcome.verdicts), *outcome.unplanned]


def suspects(outcome: Outcome) -> list[str]:
    """Seeds that are at chance, lie apart, or are more alike than independent ones; they are in all numbers.

    Of GANs, and on the hold-out, by the measure that decides.
    """
    found = [f"{result.name}: {text}" for result in outcome.results.values() for text in suspicious(result.curves)]
    found += alike(outcome)
    for result in outcome.results.values():
        of_test = result.has_predictions and not outcome.on_holdout
        measure = MEASURES["accuracy"] if of_test else outcome.measure
        values = result.values(measure.key)
        first = next(iter(result.evaluations.values()), {})
        no_better, unclear = at_chance(values, first["confusion"]) if values and of_test else ([], [])
        far = apart(values, first["images"] if of_test else None) if values else []
        named = {f"are {AT_CHANCE}": no_better, f"are {NOT_SHOWN}": unclear, "lie apart from the others": far}
        for what, seeds in named.items():
            if seeds:
                unit = f" {measure.unit}" if measure.unit else ""
                shown = ", ".join(f"{seed} ({values[seed]:.{measure.digits}f}{unit})" for seed in seeds)
                found.append(f"Seeds of {result.name} that {what}: {shown}. All numbers count them; see the median.")
    return found


def alike(outcome: Outcome) -> list[str]:
    """Variants whose seeds spread far less than the study expects, where it says what it expects."""
    measure, expected = outcome.measure, outcome.about.get("spread")
    values = {result.name: list(result.values(measure.key).values()) for result in outcome.results.values()}
    return [
        f"{name}: the standard deviation of {count(len(values[name]), 'seed')} is {std:.{measure.digits + 1}f}, where "
        f"the study expects {expected:g} (adjusted p of independent seeds: {p_value(p)}). "
        "Find out whether these trainings are independent."
        for name, (std, p) in (too_even(values, expected) if expected else {}).items()
    ]
