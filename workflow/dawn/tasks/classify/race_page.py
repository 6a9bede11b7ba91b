"""Report of a race: accuracy and time over its runs with intervals, the clock by phase, the energy."""

import importlib.metadata
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from dawn.config.task import Measure
from dawn.report import numbers
from dawn.report.page import Block, Bullets, Paragraph, Table
from dawn.results.independence import independent, named, sharing, starting_points, without_intervals
from dawn.results.measures import MEASURES
from dawn.results.measures import over as over_seeds
from dawn.results.phases import PHASES
from dawn.results.statistics import fraction

SOURCES = {
    "nvml": "of the GPUs alone, from their own counters (NVML)",
    "rapl": "of the machine's CPU packages and memory (RAPL)",
}
Run = Mapping[str, Any]  # the metrics of one seed, from dawn.race
ACCURACY, SECONDS, SPEED, ENERGY = (MEASURES[key] for key in ("accuracy", "seconds", "images_per_s", "joules"))
CLOCK = SECONDS.digits + 2  # a race is of seconds, and its phases of milliseconds


def tally(runs: Sequence[Run], target: float) -> dict[str, Any]:
    """Return the race over its runs: times in seconds, fractions in percent, energy in joules.

    Runs that share steps are not independent, so the race has no intervals then.
    """
    first, timed, untimed = runs[0], phases(runs, "seconds_by_phase"), phases(runs, "seconds_untimed")
    reached = [run["seconds_to_target"] for run in runs if run["seconds_to_target"] is not None]
    joules = [run["joules"] for run in runs]
    result = {
        "seeds": len(runs),
        "accuracy": over([run["accuracy"] for run in runs], ACCURACY),
        "target": {"accuracy": target, **fraction(sum(run["accuracy"] >= target for run in runs), len(runs))},
        "clock": over([run["seconds"] for run in runs], SECONDS),
        "phases": {phase: over(seconds, SECONDS) for phase, seconds in timed.items()},
        "untimed": {
            phase: {"first": values[0], "rest": statistics.fmean(values[1:]) if values[1:] else None}
            | {"total": sum(values)}
            for phase, values in untimed.items()
        },
        "seconds_to_target": over_seeds(reached, SECONDS) | {"seeds": len(reached)} if reached else None,
        "images_per_s": over([run["images_per_s"] for run in runs], SPEED),
        "joules": None if None in joules else over(joules, ENERGY),
        "resumed": sum(run["resumed"] > 0 for run in runs),
        "independent": independent(runs),
        "torch": importlib.metadata.version("torch"),
        **{name: first[name] for name in ("energy_source", "parameters", "precision", "device", "processes")},
        "runs": list(runs),
    }
    return without_intervals(result) if sharing(runs) else result


def phases(runs: Sequence[Run], key: str) -> dict[str, list[float]]:
    """Return the seconds of every run by phase, in the order of the clock."""
    return {
        phase: [run[key].get(phase, 0.0) for run in runs] for phase in PHASES if any(phase in run[key] for run in runs)
    }


def over(values: list[float], measure: Measure) -> dict[str, float | None]:
    """Return mean, standard deviation, 95 % interval, minimum and maximum."""
    return over_seeds(values, measure) | {"min": min(values), "max": max(values)}


def line(run: Run) -> str:
    """Return one run on one line."""
    parts = ", ".join(f"{phase} {seconds:.3f}" for phase, seconds in run["seconds_by_phase"].items())
    energy = "" if run["joules"] is None else f"  {run['joules']:,.0f} J"
    return (
        f"seed {run['seed']}  {run['accuracy']:.2f} %  {run['seconds']:.3f} s timed ({parts})"
        f"  {sum(run['seconds_untimed'].values()):.1f} s untimed{energy}"
    )


def page(race: Mapping[str, Any]) -> list[Block]:
    """Return the race as a page."""
    device = race["device"].replace("cpu", "CPU")
    rows = [
        (ACCURACY.title, race["accuracy"], ACCURACY.digits),
        ("timed, s", race["clock"], CLOCK),
        *((f"{PHASES[phase]}, s", value, CLOCK) for phase, value in race["phases"].items()),
        (SPEED.title, race["images_per_s"], SPEED.digits),
        *([("energy while timed, J", race["joules"], ENERGY.digits)] if race["joules"] else []),
    ]
    return [
        Paragraph(
            f"{numbers.described(race['accuracy'], ACCURACY.digits, ACCURACY.suffix)} after "
            f"{numbers.described(race['clock'], CLOCK, ' s')}; "
            f"{numbers.count(race['seeds'], 'seed')}, {race['processes']} x {device}, {race['precision']}, "
            f"torch {race['torch']}",
            bold=True,
        ),
        Table(("", "mean", "std", "95 % interval", "min", "max"), [row(*value) for value in rows]),
        Bullets(remarks(race)),
        Table(("untimed, s", "first seed", "mean of the others", "sum"), untimed(race["untimed"])),
    ]


def row(name: str, value: Mapping[str, float | None], digits: int) -> list[str]:
    """Return a row of the first table: a quantity and its spread over the runs."""
    mean, std, least, most = (
        numbers.DASH if value[key] is None else f"{value[key]:,.{digits}f}" for key in ("mean", "std", "min", "max")
    )
    return [name, mean, std, numbers.limits(value, digits), least, most]


def untimed(values: Mapping[str, Mapping[str, float | None]]) -> list[list[str]]:
    """Return the rows of the phases that are not timed."""
    return [
        [PHASES[phase], *(numbers.DASH if v is None else f"{v:.3f}" for v in seconds.values())]
        for phase, seconds in values.items()
    ]


def remarks(race: Mapping[str, Any]) -> list[str]:
    """Return what the tables leave out."""
    target, reached, seeds = race["target"], race["seconds_to_target"], race["seeds"]
    goal = f"{target['accuracy']:g} %"
    times = f"{numbers.described(reached, CLOCK, ' s')}, {reached['seeds']} of {seeds} seeds" if reached else "never"
    energy = "not measured: no counter can be read" if race["joules"] is None else SOURCES[race["energy_source"]]
    lines = [
        f"seeds at or above {goal}: {numbers.fraction(target)}",
        f"first monitored at {goal}: {times}",
        f"energy: {energy}",
        starting_points(race["runs"]),
    ]
    if shared := sharing(race["runs"]):
        lines.append(f"no intervals: {'; '.join(map(named, shared))} share their first step, so each is one training")
    return lines
