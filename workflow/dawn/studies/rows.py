"""The tables of a study as programs read them: a row a variant, a comparison, a seed. None where there is no number."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dawn.config.task import Measure
from dawn.core.files import write_table
from dawn.results.curve import at_target, read_columns
from dawn.studies.from_curves import KEYS
from dawn.studies.further import Further
from dawn.studies.measures import MEASURES
from dawn.studies.secondary import other_measures
from dawn.studies.sentences import short
from dawn.studies.tables import WORKS, Results
from dawn.studies.variants import Result
from dawn.studies.verdicts import Verdict

Row = dict[str, Any]
OF_GANS = tuple(f"{network}_{size}" for network in ("generator", "critic") for size in ("parameters", "flops"))


def variants(results: Results, measure: Measure, verdicts: Sequence[Verdict]) -> list[Row]:
    """A row for each variant, with its comparison where it has exactly one."""
    own = {r.name: [v for v in verdicts if v.comparison.name == r.name] for r in results.values()}
    found = [_variant(r, measure, own[r.name][0] if len(own[r.name]) == 1 else None) for r in results.values()]
    return _alike(found, empty=all(r.has_predictions for r in results.values()))


def _alike(rows: Sequence[Row], empty: bool) -> list[Row]:
    """The rows with the columns of all; those that are empty in all rows only on demand."""
    names = dict.fromkeys(name for row in rows for name in row)
    kept = [name for name in names if empty or any(row.get(name) is not None for row in rows)]
    return [{name: row.get(name) for name in kept} for row in rows]


def _variant(result: Result, measure: Measure, verdict: Verdict | None) -> Row:
    """Accuracies and fractions in percent, times in seconds."""
    row: Row = {"variant": result.name, "seeds": len(result.evaluations)}
    row |= _spread(measure.key, result.summary(measure), std=True)
    for other in () if result.has_predictions else other_measures({"": result}, measure):
        row |= _spread(other.key, result.summary(other))
    row |= _metrics(result.metrics)
    row |= {"batch": result.batch}
    for work in WORKS:
        time = result.time(work) or {}
        row |= {f"{work}_{name}": time.get(name) for name in ("seconds", "low", "high", "share_of_peak")}
    return row | _verdict(verdict)


def _metrics(metrics: Mapping[str, Any] | None) -> Row:
    m = metrics or {}
    t = m.get("target", {})
    row = {"target": t.get("accuracy"), "target_share": t.get("share"), "target_share_low": t.get("low"),
           "target_share_high": t.get("high"), "seeds_to_target": t.get("seeds_in_training")}  # fmt: skip
    for name in ("epochs", "seconds", "expected_seconds"):
        row |= _spread(f"{name}_to_target", t.get(name))
    row |= {"dollars_to_target": (t.get("dollars") or {}).get("mean")}
    row |= {"training_dollars": (m.get("dollars") or {}).get("mean")}
    row |= {name: m.get(name) for name in ("parameters", "flops", *OF_GANS) if name not in OF_GANS or name in m}
    row |= _spread("images_per_s", m.get("images_per_s")) | _spread("training_seconds", m.get("seconds"))
    return row | {"peak_memory_bytes": m.get("peak_memory_bytes", {}).get("mean")}


def _spread(name: str, value: Mapping[str, Any] | None, std: bool = False) -> Row:
    ends = ("mean", "low", "high", *(("std",) if std else ()))
    return {f"{name}_{end}": value[end] if value else None for end in ends}


def _verdict(verdict: Verdict | None) -> Row:
    names = ("difference", "difference_low", "difference_high", "simultaneous_low", "simultaneous_high",
             "bound_low", "bound_high", "paired", "p", "p_adjusted", "p_not_worse", "p_not_better",
             "analysis", "seeds_needed", "verdict")  # fmt: skip
    if verdict is None:
        return dict.fromkeys(names)
    d, none = verdict.difference, (None, None)
    values = (d.mean, *(verdict.interval or none), *(verdict.simultaneous or none),
              *(verdict.bounds or none), d.paired, verdict.p,
              verdict.adjusted, verdict.not_worse, verdict.not_better, verdict.analysis + 1, verdict.needed,
              short(verdict))  # fmt: skip
    return dict(zip(names, values, strict=True))


def comparison(found: Further) -> Row:
    """A comparison with its verdict and what else is known of it."""
    c, images, chance, pair = found.verdict.comparison, found.other_images, found.improvement, found.pair
    row = {"variant": c.name, "against": c.base, "seeds": found.verdict.difference.n} | _verdict(found.verdict)
    row |= dict(zip(("other_images_low", "other_images_high"), images or (None, None), strict=True))
    row |= {f"improvement{end}": chance and value for end, value in (
        ("", chance and chance.value), ("_low", chance and chance.low), ("_high", chance and chance.high)
    )}  # fmt: skip
    return row | {"mcnemar_p": pair and pair.p}


def seeds(results: Results, study: Path) -> list[Row]:
    """A row for each seed of each variant."""
    found = []
    for slug, result in results.items():
        for seed in result.evaluations:
            measured = {key: result.values(key).get(seed) for key in (*MEASURES, *KEYS)}
            row: Row = {"variant": result.name, "seed": seed}
            row |= {key: number for key, number in measured.items() if number is not None}
            row |= _training(result.trainings[seed])
            if target := result.choices.get("evaluate", {}).get("target"):
                reached = at_target(read_columns(study / slug / f"seed-{seed}" / "curve.tsv"), target) or {}
                row |= {"seconds_to_target": reached.get("seconds"), "epochs_to_target": reached.get("epoch")}
            found.append(row)
    return _alike(found, empty=True)


def _training(training: Mapping[str, Any]) -> Row:
    """What metrics.json says of a training, as far as its task has it."""
    names = ("train_loss", "seconds", "images_per_s", "peak_memory_bytes", "device")
    untimed = sum(training.get("seconds_untimed", {}).values())
    return {name: training[name] for name in names if name in training} | {"seconds_untimed": untimed}


def write(path: Path, rows: Sequence[Row]) -> None:
    """Rows as CSV."""
    write_table(path, list(rows[0]), [list(row.values()) for row in rows], separator=",")
