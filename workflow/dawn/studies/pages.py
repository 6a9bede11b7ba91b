"""A study as a page: the question, the verdicts, figures, tables, how to read them, where the results come from."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dawn.report.numbers import count, p_value
from dawn.report.page import Block, Bullets, Heading, Image
from dawn.results.independence import suspicious
from dawn.results.measures import DECIDING
from dawn.results.outliers import AT_CHANCE, NOT_SHOWN, apart, at_chance, too_even
from dawn.studies import tables
from dawn.studies.from_curves import words
from dawn.studies.outcome import Outcome
from dawn.studies.sentences import sentence, single

ENOUGH = 5  # seeds at an analysis, from which two-humped seeds do no harm
TWO_HUMPED = {2: 33, 3: 17, 4: 5}  # % of studies with a false verdict at most: tests/bench/intervals.py humps
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
    """Return the page of a finished study."""
    verdicts, results, measure = outcome.verdicts, outcome.results, outcome.measure
    sentences = [sentence(verdict, measure) for verdict in verdicts]
    return [
        Heading(outcome.about["question"], 1),
        Bullets([*sentences, *filter(None, map(single, outcome.further)), *progress(outcome)]),
        tables.comparisons(verdicts, measure),
        *(Image(path, text) for path, text in figures),
        *described(outcome),
        *([more] if (more := tables.further(outcome.further, measure)) else []),
        *([] if outcome.on_holdout else [tables.other_differences(verdicts, results, measure)]),
        Heading("How to read it"),
        Bullets([*tables.disagreements(results), *NOTES]),
        Heading("Provenance"),
        Bullets(_origins(outcome)),
    ]


def partial(outcome: Outcome) -> list[Block]:
    """Return the page of a study that is not finished: what was measured, and no verdict."""
    return [
        Heading(outcome.about["question"], 1),
        Bullets(["Not finished, so without verdicts: " + "; ".join(outcome.lacking) + ".", *outcome.unplanned]),
        *described(outcome),
        Heading("Provenance"),
        Bullets(_origins(outcome)),
    ]


def described(outcome: Outcome) -> list[Block]:
    """Return the tables of the variants, and what to beware of."""
    results, measure = outcome.results, outcome.measure
    against = tables.contradictions(outcome.verdicts, results, measure)
    beware = [*against, *suspects(outcome), *_unfair(outcome)]
    others = None if outcome.on_holdout else tables.others(results, measure)
    more = [
        table for table in (others, tables.targets(results), tables.cost(results)) if table and len(table.heads) > 1
    ]
    return [tables.measured(results, measure), *([Bullets(beware)] if beware else []), *more]


def progress(outcome: Outcome) -> list[str]:
    """Say how often the study was analysed, and what was not as it was planned."""
    counts, lines = outcome.counts, []
    if outcome.on_holdout:
        lines.append("Compared on the hold-out after the last epoch, without test-time augmentation. The test split "
                     "decides nothing.")  # fmt: skip
    if budget := outcome.about.get("budget"):
        lines.append(f"Compared at an equal budget of {words(budget)}: the learning curves between the ends of epochs, "
                     "and the last value of a training that spent less. A learning rate that falls with the planned "
                     "epochs has not fallen there.")  # fmt: skip
    if outcome.other_plans:
        plans = "; ".join(outcome.other_plans)
        lines.append(f"Extended without a plan: results were seen when {plans} seeds were planned. The verdicts are by "
                     "anytime-valid tests, whose intervals are wider.")  # fmt: skip
    elif len(counts) > 1:
        made = max((verdict.analysis for verdict in outcome.verdicts), default=0) + 1
        seeds = ", ".join(map(str, counts[:made]))
        lines.append(f"{made} of {len(counts)} planned analyses were made, at {seeds} of at most {counts[-1]} seeds.")
    return [*lines, *_assumptions(outcome), *outcome.unplanned]


def _assumptions(outcome: Outcome) -> list[str]:
    """Say what the tests assume, where the seeds are too few, or too different for Dunnett's test."""
    lines, first = [], min(outcome.about["analyses"])
    if 1 < first < ENOUGH:
        lines.append(
            f"{count(first, 'seed')} at an analysis: the tests assume roughly normal values, and so few seeds cannot "
            "show whether they are. If the seeds of all variants end in one of two modes, each as likely, up to "
            f"{TWO_HUMPED[first]} % of studies of 9 variants without any difference say better or worse (5 % or less "
            f"from {ENOUGH} seeds on)."
        )
    alone = [f"{v.comparison.name} against {v.comparison.base}" for v in outcome.verdicts if v.planned and not v.common]
    if outcome.about["test"] == "dunnett" and len(outcome.about["comparisons"]) > 1 and alone:
        lines.append(
            f"Dunnett's test was not used for {'; '.join(alone)}: the seeds leave doubt that the variants spread "
            "alike. Each of these is tested with the spread of its own variants, by Holm's procedure."
        )
    return lines


def suspects(outcome: Outcome) -> list[str]:
    """Name the seeds that are at chance, lie apart, or are more alike than independent ones; all numbers count them.

    Those of GANs, and on the hold-out, are by the measure that decides.
    """
    lines = [f"{result.name}: {text}" for result in outcome.results.values() for text in suspicious(result.curves)]
    lines += _too_even(outcome)
    for result in outcome.results.values():
        of_test = result.has_predictions and not outcome.on_holdout
        measure = DECIDING["accuracy"] if of_test else outcome.measure
        values = result.values(measure.key)
        if not values:
            continue
        first = next(iter(result.evaluations.values()))
        no_better, unclear = at_chance(values, first["confusion"]) if of_test else ([], [])
        far = apart(values, first["images"] if of_test else None)
        named = {f"are {AT_CHANCE}": no_better, f"are {NOT_SHOWN}": unclear, "lie apart from the others": far}
        for what, seeds in named.items():
            if seeds:
                shown = ", ".join(f"{seed} ({values[seed]:.{measure.digits}f}{measure.suffix})" for seed in seeds)
                lines.append(f"Seeds of {result.name} that {what}: {shown}. All numbers count them; see the median.")
    return lines


def _too_even(outcome: Outcome) -> list[str]:
    """Name the variants whose seeds spread far less than the study expects, where it says what it expects."""
    measure, expected = outcome.measure, outcome.about.get("spread")
    values = {result.name: list(result.values(measure.key).values()) for result in outcome.results.values()}
    return [
        f"{name}: the standard deviation of {count(len(values[name]), 'seed')} is {std:.{measure.digits + 1}f}, where "
        f"the study expects {expected:g} (adjusted p of independent seeds: {p_value(p)}). "
        "Find out whether these trainings are independent."
        for name, (std, p) in (too_even(values, expected) if expected else {}).items()
    ]


def provenance(outcome: Outcome) -> dict[str, Any]:
    """Return the provenance of each variant, and the devices that its seeds were trained on."""
    return {
        slug: {"trained_on": sorted({t["device"] for t in r.trainings.values()}), **(r.provenance or {})}
        for slug, r in outcome.results.items()
    }


def _origins(outcome: Outcome) -> list[str]:
    """Return devices, code, packages, machines and data; what differs between variants is listed value by value."""
    devices = _trained_on(outcome)
    parts = {"trained on": [", ".join(devices)] if devices else []}
    parts |= {name: _different(outcome, value) for name, value in ORIGINS.items()}
    return [f"{name}: {'; '.join(values)}" for name, values in parts.items() if values]


def _unfair(outcome: Outcome) -> list[str]:
    """Say what makes a comparison unfair: training by different code, training or timing on different devices."""
    lines = [f"The variants were not trained by the same {name}: {'; '.join(values)}."
             for name in ("code", "torch") if len(values := _different(outcome, ORIGINS[name])) > 1]  # fmt: skip
    timed = sorted({r.timing["device"] for r in outcome.results.values() if r.timing})
    for what, devices in (("trained", _trained_on(outcome)), ("timed", timed)):
        if len(devices) > 1:
            lines.append(f"The variants were {what} on different devices, so their times do not compare: "
                         f"{', '.join(devices)}.")  # fmt: skip
    return lines


def _trained_on(outcome: Outcome) -> list[str]:
    return sorted({t["device"] for r in outcome.results.values() for t in r.trainings.values()})


def _different(outcome: Outcome, value: Callable[[Mapping[str, Any]], str]) -> list[str]:
    return list(dict.fromkeys(value(r.provenance) for r in outcome.results.values() if r.provenance))


def _code(record: Mapping[str, Any]) -> str:
    code = record["code"]
    if code["commit"] is None:
        return "not in a git repository"
    return f"{code['commit']}{' with uncommitted changes' if code['dirty'] else ''}"


def _machine(record: Mapping[str, Any]) -> str:
    machine = record["machine"]
    return "; ".join([f"{machine['cpu']}, {machine['cores']} cores", *machine["gpus"]])


ORIGINS: dict[str, Callable[[Mapping[str, Any]], str]] = {  # parts of provenance.json
    "code": _code,
    "torch": lambda record: str(record["packages"].get("torch", "unknown")),
    "Python": lambda record: str(record["python"]),
    "machine": _machine,
    "data": lambda record: f"sha256 {record['data'].get('sha256') or 'unknown'}",
}
